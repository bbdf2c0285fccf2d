//! Files, standard input, and what else people paste: encodings, the service's markup, addresses of warehouses.

#![no_main]

use brickwire_actions::{
    Host, decode_text,
    fuzzing::{markup, warehouse_id},
    without_mark,
};
use brickwire_fuzz::text;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Ok(decoded) = decode_text(data, "the-file") {
        assert!(!decoded.contains('\0') && without_mark(&decoded) == decoded, "{decoded:?}");
        match data {
            [0xFE, 0xFF, rest @ ..] => assert_eq!(without_mark(&utf16(rest, u16::from_be_bytes)), decoded),
            [0xFF, 0xFE, rest @ ..] => assert_eq!(without_mark(&utf16(rest, u16::from_le_bytes)), decoded),
            _ => assert!(text(data).is_some_and(|text| text.ends_with(&decoded))),
        }
    }
    let Some(text) = text(data) else { return };
    let (plain, traceback) = markup(text);
    assert!(plain.len() <= 2 * text.len() && traceback.len() <= 2 * text.len());
    let host = Host::parse("https://adb-1.2.azuredatabricks.net/?o=12").expect("it is a host");
    if let Ok(Some(id)) = warehouse_id(text, &host) {
        assert!(
            !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-'),
            "{id:?}"
        );
    }
});

fn utf16(bytes: &[u8], unit: fn([u8; 2]) -> u16) -> String {
    let units: Vec<u16> = bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect();
    String::from_utf16(&units).expect("it was decoded")
}
