//! Compressed chunks: what lz4_flex makes of them with all checksums, wherever the bytes are cut, or an error.

#![no_main]

use std::io::Read;

use brickwire_actions::fuzzing::decompress;
use brickwire_fuzz::{cuts, line};
use libfuzzer_sys::{Corpus, fuzz_target};
use lz4_flex::frame::FrameDecoder;

const FRAME: [u8; 4] = 0x184D_2204_u32.to_le_bytes();
/// A whole frame with a checksum. Its content is `the end`.
const END: &[u8] = b"\x04\x22\x4d\x18\x64\x40\xa7\x07\0\0\x80the end\0\0\0\0\x74\x53\x95\x3a";
/// An older format, which only lz4_flex reads.
const LEGACY: [u8; 4] = 0x184C_2102_u32.to_le_bytes();

fuzz_target!(|data: &[u8]| -> Corpus {
    let mut rest = data;
    let first = line(&mut rest);
    if rest.windows(4).any(|part| part == LEGACY) {
        return Corpus::Reject;
    }
    let ours = decompress(rest, &cuts(first, rest.len())).ok();
    let expected = if rest.starts_with(&FRAME) { reference(rest) } else { Some(rest.to_vec()) };
    assert!(ours == expected, "ours: {:?} bytes, lz4_flex: {:?} bytes", length(&ours), length(&expected));
    Corpus::Keep
});

fn length(bytes: &Option<Vec<u8>>) -> Option<usize> {
    bytes.as_ref().map(Vec::len)
}

/// All frames, as the library reads them. It takes a frame that is cut off at the end of a block for a whole one, and so
/// a lone magic number; so others are put behind it, which must be read, too. A block may swallow one of them.
fn reference(chunk: &[u8]) -> Option<Vec<u8>> {
    let joined = [chunk, END, END].concat();
    let mut plain = Vec::new();
    let mut decoder = FrameDecoder::new(&joined[..]);
    let mut buffer = vec![0; 64 << 10];
    while !decoder.get_ref().is_empty() {
        // The library leaves skippable frames to its caller.
        if let [magic, 0x2A, 0x4D, 0x18, rest @ ..] = *decoder.get_ref()
            && magic & 0xF0 == 0x50
        {
            let (length, rest) = rest.split_first_chunk()?;
            *decoder.get_mut() = rest.get(u32::from_le_bytes(*length) as usize..)?;
            continue;
        }
        let read = decoder.read(&mut buffer).ok()?;
        plain.extend_from_slice(&buffer[..read]);
    }
    decoder.read_to_end(&mut plain).ok()?;
    plain.strip_suffix(b"the endthe end").map(<[u8]>::to_vec)
}
