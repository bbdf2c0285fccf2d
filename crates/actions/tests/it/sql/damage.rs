//! Record batches whose bytes were damaged on the way.

use std::sync::Arc;

use arrow_array::{ArrayRef, NullArray, StringArray};
use brickwire_actions::ErrorKind;
use lz4_flex::frame::FrameInfo;
use serde_json::json;

use super::{
    batches::{chunk_of, frames, ids_of, service, stream},
    service::{Service, reply},
};

#[tokio::test]
async fn no_damage_under_a_checksum_is_overlooked() {
    let whole = stream(0, 2, 500);
    for info in [FrameInfo::new().block_checksums(true), FrameInfo::new().content_checksum(true)] {
        let packed = frames(&whole, 1, &info);
        for at in (packed.len() / 8..packed.len()).step_by(packed.len() / 8) {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x10;
            let running = service(vec![packed.clone(), damaged], 1000).start().await;
            let error = ids_of(&running).await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
            assert!(error.to_string().starts_with("chunk 1 of the result is damaged"), "{error}");
        }
    }
}

#[tokio::test]
async fn text_that_is_not_utf8_is_an_error() {
    let mut bytes = chunk_of(vec![("id", Arc::new(StringArray::from(vec!["abcdefgh"])) as ArrayRef)]);
    let at = bytes.windows(8).position(|text| text == b"abcdefgh").unwrap();
    bytes[at] = 0xFF;
    let columns = json!([{ "name": "id" }]);
    let running = Service { columns, ..service(vec![bytes], 1) }.start().await;
    assert_eq!(ids_of(&running).await.unwrap_err().kind(), ErrorKind::UnexpectedResponse);
}

#[tokio::test]
async fn rows_without_bytes_are_bounded() {
    let nulls = |rows: usize| chunk_of(vec![("id", Arc::new(NullArray::new(rows)) as ArrayRef)]);
    let columns = json!([{ "name": "id" }]);
    for rows in [1 << 20, 1 << 40] {
        let service = Service { columns: columns.clone(), ..service(vec![nulls(rows)], rows as u64) };
        let running = service.start().await;
        let statement = running.workspace.sql("w").statement("SELECT 1").with_rows_from_arrow();
        let mut result = statement.execute().await.unwrap();
        let mut count = 0;
        let end = loop {
            match result.next_rows().await {
                Ok(Some(rows)) => count += rows.len(),
                other => break other.map(drop),
            }
        };
        assert_eq!((end.is_ok(), count), if rows == 1 << 20 { (true, rows) } else { (false, 0) });
    }
}

/// Arrow's decoder panics on some malformed bytes. That shows as an error only; other panics are printed as usual.
#[test]
fn panics_of_the_decoder_are_not_printed() {
    let program = std::env::current_exe().unwrap();
    let child = std::process::Command::new(program)
        .args([
            "--exact",
            "sql::damage::damaged_metadata_in_a_process_of_its_own",
            "--ignored",
            "--nocapture",
        ])
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&child.stderr);
    assert!(child.status.success(), "{text}");
    assert_eq!(text.matches("panicked").count(), 1, "{text}");
    assert!(text.contains("a panic of the program itself"), "{text}");
    assert_eq!(text.matches("the program's own hook").count(), 1, "{text}");
}

#[test]
#[ignore = "sets the panic hook: run by the test above, in a process of its own"]
fn damaged_metadata_in_a_process_of_its_own() {
    let earlier = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |info| {
        eprintln!("the program's own hook");
        earlier(info);
    }));
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let whole = stream(0, 1, 10);
        let damage = service(vec![whole.clone()], 10).scripted(move |request, before| {
            let mut damaged = whole.clone();
            damaged[before * 3] ^= 0xFF;
            request.target.starts_with("/store/").then(|| reply(200, damaged))
        });
        let running = damage.start().await;
        let mut undecodable = 0;
        for at in 0..130 {
            match ids_of(&running).await {
                Err(error) if error.to_string().contains("cannot be decoded") => undecodable += 1,
                Err(error) => assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{at}: {error}"),
                Ok(rows) => assert_eq!(rows, 10),
            }
        }
        assert!(undecodable > 0, "the decoder no longer panics: then nothing has to be kept from the hook");
    });
    let other = std::thread::spawn(|| panic!("a panic of the program itself"));
    assert!(other.join().is_err());
}
