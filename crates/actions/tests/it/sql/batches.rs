//! Record batches from Arrow streams, compressed or not, and from bytes that are none.

use std::{io::Write, sync::Arc};

use arrow_array::{
    ArrayRef, Int32Array, Int64Array, RecordBatch, StringArray, cast::AsArray, types::Int64Type,
};
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use brickwire_actions::{Error, ErrorKind, Result};
use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};
use serde_json::json;

use super::service::{Running, Service, reply};

pub(super) fn stream(from: i64, batches: i64, rows: i64) -> Vec<u8> {
    let fields = vec![Field::new("id", DataType::Int64, false), Field::new("note", DataType::Utf8, true)];
    let schema = Arc::new(Schema::new(fields));
    let mut writer = StreamWriter::try_new(Vec::new(), &schema).unwrap();
    for batch in 0..batches {
        let ids = from + batch * rows..from + (batch + 1) * rows;
        let ids = Int64Array::from_iter_values(ids);
        let notes =
            StringArray::from_iter(ids.values().iter().map(|i| (i % 3 > 0).then(|| format!("row {i}"))));
        writer
            .write(&RecordBatch::try_new(schema.clone(), vec![Arc::new(ids), Arc::new(notes)]).unwrap())
            .unwrap();
    }
    writer.into_inner().unwrap()
}

pub(super) fn frames(bytes: &[u8], count: usize, info: &FrameInfo) -> Vec<u8> {
    let mut out = Vec::new();
    for part in bytes.chunks(bytes.len().div_ceil(count)) {
        let mut encoder = FrameEncoder::with_frame_info(info.clone(), out);
        encoder.write_all(part).unwrap();
        out = encoder.finish().unwrap();
    }
    out
}

pub(super) fn service(chunks: Vec<Vec<u8>>, rows: u64) -> Service {
    let chunks = chunks.into_iter().map(|chunk| (chunk, rows)).collect();
    Service { format: "ARROW_STREAM", chunks, ..Service::default() }
}

async fn ids(running: &Running) -> Result<Vec<i64>> {
    let mut batches = running.workspace.sql("w").statement("SELECT * FROM t").execute_arrow().await?;
    let mut ids = Vec::new();
    while let Some(batch) = batches.next().await? {
        let notes = batch.column(1).as_string::<i32>();
        for (id, note) in batch.column(0).as_primitive::<Int64Type>().values().iter().zip(notes) {
            assert_eq!(note.map(str::to_owned), (id % 3 > 0).then(|| format!("row {id}")));
            ids.push(*id);
        }
    }
    assert_eq!(batches.schema().map(|s| s.fields().len()), (!ids.is_empty()).then_some(2));
    Ok(ids)
}

#[tokio::test]
async fn plain_and_packed_streams_give_the_same() {
    let plain: Vec<_> = (0..5).map(|chunk| stream(chunk * 2000, 4, 500)).collect();
    let four = FrameInfo::new().block_size(BlockSize::Max4MB);
    let linked = FrameInfo::new().block_size(BlockSize::Max64KB).block_mode(BlockMode::Linked);
    let pack =
        |count, info: &FrameInfo| plain.iter().map(|chunk| frames(chunk, count, info)).collect::<Vec<_>>();
    for chunks in [plain.clone(), pack(1, &four), pack(7, &four), pack(3, &linked)] {
        let running = service(chunks, 2000).start().await;
        assert_eq!(ids(&running).await.unwrap(), (0..10_000).collect::<Vec<_>>());
        let sent = &running.submissions()[0];
        assert_eq!(
            (&sent["format"], &sent["disposition"]),
            (&json!("ARROW_STREAM"), &json!("EXTERNAL_LINKS"))
        );
        assert_eq!(sent["result_compression"], "LZ4_FRAME");
    }
}

#[tokio::test]
async fn a_service_that_knows_no_compression_is_asked_without() {
    let running = service(vec![stream(0, 1, 10)], 10)
        .scripted(|request, _| {
            let message = "Could not parse request object: unknown field result_compression";
            let refusal = json!({ "error_code": "MALFORMED_REQUEST", "message": message });
            request.text().contains("result_compression").then(|| reply(400, refusal.to_string()))
        })
        .start()
        .await;
    assert_eq!(ids(&running).await.unwrap().len(), 10);
    assert_eq!(running.submissions().len(), 2);
}

#[tokio::test]
async fn a_cut_or_damaged_stream_is_an_error() {
    let whole = stream(0, 3, 1000);
    let packed = frames(&whole, 1, &FrameInfo::new());
    let mut damaged = packed.clone();
    damaged[40..200].fill(0xFF);
    let half = whole.len() / 2;
    for bad in [
        b"<Error>AccessDenied</Error>".to_vec(),
        whole[..half].to_vec(),
        packed[..packed.len() / 2].to_vec(),
        damaged,
        vec![0xFF; 5000],
        Vec::new(),
    ] {
        let running = service(vec![whole.clone(), bad], 3000).start().await;
        let error = ids(&running).await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{error}");
        assert_eq!(running.requests("/store/1").len(), 1);
    }
}

#[tokio::test]
async fn a_stream_with_fewer_rows_is_an_error() {
    let running = service(vec![stream(0, 3, 1000)], 3001).start().await;
    let error = ids(&running).await.unwrap_err();
    assert!(error.to_string().contains("3000 rows where 3001"), "{error}");
}

/// A page is a proxy's or the store's own.
fn is_no_row(error: &Error) {
    let text = format!("{error} {}", error.hint().unwrap_or_default());
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse, "{text}");
    assert!(!text.contains("into_batches") && !text.contains("execute_arrow"), "{text}");
}

#[tokio::test]
async fn a_result_in_another_format_is_unexpected() {
    // JSON where Arrow was asked, by links and in the answer, and with a manifest that says nothing.
    for (inline, manifest) in [
        (false, json!({})),
        (true, json!({})),
        (true, json!({ "format": null })),
        (false, json!({ "format": null })),
    ] {
        let running = Service { inline, manifest, ..Service::of_rows(1, 1) }.start().await;
        is_no_row(&ids(&running).await.unwrap_err());
    }
    let arrow_said = Service { format: "ARROW_STREAM", ..Service::of_rows(1, 1) };
    is_no_row(&ids(&arrow_said.start().await).await.unwrap_err());
    // Neither JSON nor Arrow, and Arrow with a manifest that says nothing.
    let csv = Service { format: "CSV", ..service(vec![b"1,x".to_vec()], 1) };
    let unnamed = Service { manifest: json!({ "format": null }), ..service(vec![stream(0, 1, 1)], 1) };
    for service in [csv, unnamed] {
        let running = service.start().await;
        let result = running.workspace.sql("w").statement("SELECT 1").execute().await.unwrap();
        is_no_row(&result.collect().await.unwrap_err());
        assert_eq!(running.cancellations().await, 0);
    }
}

#[tokio::test]
async fn batches_have_as_many_columns_as_the_schema() {
    let columns = json!([{ "name": "id", "type_name": "LONG" }]);
    let running = Service { columns, ..service(vec![stream(0, 1, 1)], 1) }.start().await;
    let error = ids(&running).await.unwrap_err();
    is_no_row(&error);
    assert!(error.to_string().contains("2 columns"), "{error}");
}

#[tokio::test]
async fn rows_as_text_are_read_from_either_format() {
    let packed = frames(&stream(0, 3, 1000), 2, &FrameInfo::new());
    for (service, is_asked, format) in [
        (service(vec![stream(0, 3, 1000)], 3000), true, "ARROW_STREAM"),
        (service(vec![packed], 3000), true, "ARROW_STREAM"),
        // The manifest says what the rows are, whatever was asked for.
        (Service::of_rows(1, 3000), true, "ARROW_STREAM"),
        (service(vec![stream(0, 3, 1000)], 3000), false, "JSON_ARRAY"),
    ] {
        let running = service.start().await;
        let mut statement = running.workspace.sql("w").statement("SELECT * FROM t");
        if is_asked {
            statement = statement.with_rows_from_arrow();
        }
        let rows = statement.execute().await.unwrap().collect().await.unwrap();
        assert_eq!(rows.len(), 3000);
        for (i, row) in rows.iter().enumerate() {
            assert_eq!(row.get("id").and_then(|cell| cell.as_str()), Some(i.to_string().as_str()));
            if let Some(note) = row.get("note").and_then(|cell| cell.as_str()) {
                assert_eq!(note, format!("row {i}"));
            }
        }
        assert_eq!(running.submissions()[0]["format"], format);
    }
}

#[tokio::test]
async fn rows_that_travel_inline_are_asked_for_as_json() {
    use brickwire_actions::types::Disposition;
    let running = Service { inline: true, ..Service::of_rows(1, 2) }.start().await;
    let sql = running.workspace.sql("w");
    for statement in [
        sql.statement("INSERT INTO t VALUES (1)"),
        sql.statement("SELECT * FROM t").with_disposition(Disposition::Inline),
    ] {
        let rows = statement.with_rows_from_arrow().execute().await.unwrap().collect().await.unwrap();
        assert_eq!(rows.len(), 2);
    }
    for sent in running.submissions() {
        assert_eq!((&sent["format"], &sent["disposition"]), (&json!("JSON_ARRAY"), &json!("INLINE")));
    }
}

#[tokio::test]
async fn batches_with_other_columns_are_an_error() {
    let columns = json!([{ "name": "id", "type_name": "LONG" }]);
    let running = Service { columns, ..service(vec![stream(0, 1, 10)], 10) }.start().await;
    let mut result = running.workspace.sql("w").statement("SELECT 1").execute().await.unwrap();
    let error = result.next_rows().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
    assert!(error.to_string().contains("2 columns"), "{error}");
}

#[tokio::test]
async fn rows_as_text_come_as_json_from_a_service_without_arrow() {
    let refusal = json!({ "error_code": "INVALID_PARAMETER_VALUE", "message": "format must be JSON_ARRAY" });
    let running = Service::of_rows(1, 2)
        .scripted(move |request, _| {
            request.text().contains("ARROW_STREAM").then(|| reply(400, refusal.to_string()))
        })
        .start()
        .await;
    let statement = running.workspace.sql("w").statement("SELECT * FROM t");
    let rows = statement.clone().with_rows_from_arrow().execute().await.unwrap().collect().await.unwrap();
    assert_eq!((rows.len(), running.submissions().len()), (2, 2));
    assert_eq!(running.submissions()[1]["format"], "JSON_ARRAY");
    // Record batches can't come as JSON.
    assert_eq!(statement.execute_arrow().await.unwrap_err().kind(), ErrorKind::Rejected);
    assert_eq!(running.submissions().len(), 3);
}

#[tokio::test]
async fn json_that_is_called_arrow_is_read_as_json() {
    let running = Service { format: "ARROW_STREAM", inline: true, ..Service::of_rows(1, 2) }.start().await;
    let statement = running.workspace.sql("w").statement("SELECT * FROM t").with_rows_from_arrow();
    let rows = statement.execute().await.unwrap().collect().await.unwrap();
    assert_eq!(rows[1], vec![Some("1"), Some("row 1")]);
}

/// A chunk of one batch with these columns, three rows each.
pub(super) fn chunk_of(columns: Vec<(&str, ArrayRef)>) -> Vec<u8> {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = StreamWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    writer.write(&batch).unwrap();
    writer.into_inner().unwrap()
}

#[tokio::test]
async fn chunks_with_other_columns_than_the_first_are_an_error() {
    let ids = || Arc::new(Int64Array::from(vec![1, 2, 3])) as ArrayRef;
    let narrow = || Arc::new(Int32Array::from(vec![1, 2, 3])) as ArrayRef;
    let notes = || Arc::new(StringArray::from(vec!["1", "2", "3"])) as ArrayRef;
    let good = || chunk_of(vec![("id", ids()), ("note", notes())]);
    for (bad, words) in [
        (chunk_of(vec![("id", narrow()), ("note", notes())]), "is Int32 instead of Int64"),
        (chunk_of(vec![("note", notes()), ("id", ids())]), "named"),
        (chunk_of(vec![("id", ids()), ("Note", notes())]), "named"),
        (chunk_of(vec![("id", ids())]), "columns"),
        (chunk_of(vec![("id", ids()), ("note", notes()), ("more", ids())]), "columns"),
    ] {
        // With a manifest that names the columns, and with one that doesn't.
        for schema in [true, false] {
            let manifest = if schema { json!({}) } else { json!({ "schema": null }) };
            let chunks = vec![good(), bad.clone(), good()];
            let running = Service { manifest, ..service(chunks, 3) }.start().await;
            let mut batches = running.workspace.sql("w").statement("SELECT 1").execute_arrow().await.unwrap();
            assert_eq!(batches.next().await.unwrap().unwrap().num_rows(), 3);
            let error = batches.next().await.unwrap_err();
            assert_eq!(error.kind(), ErrorKind::UnexpectedResponse);
            assert!(error.to_string().contains("chunk 1") && error.to_string().contains(words), "{error}");
        }
        let running = service(vec![good(), bad], 3).start().await;
        let statement = running.workspace.sql("w").statement("SELECT 1").with_rows_from_arrow();
        let error = statement.execute().await.unwrap().collect().await.unwrap_err();
        assert!(error.to_string().contains("chunk 1"), "{error}");
    }
    // The first chunk must have the manifest's names.
    let running = service(vec![chunk_of(vec![("a", ids()), ("b", notes())])], 3).start().await;
    let error = ids_of(&running).await.unwrap_err();
    assert!(
        error.to_string().contains(r#"named "a", and the schema of the result names it "id""#),
        "{error}"
    );
}

pub(super) async fn ids_of(running: &Running) -> Result<usize> {
    let mut batches = running.workspace.sql("w").statement("SELECT * FROM t").execute_arrow().await?;
    let mut rows = 0;
    while let Some(batch) = batches.next().await? {
        rows += batch.num_rows();
    }
    Ok(rows)
}
