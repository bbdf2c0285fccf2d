//! Decompresses LZ4 blocks into buffers of plain bytes, each large enough for many rows.
//!
//! `lz4_flex` decompresses the blocks, and `twox-hash`, which it uses for the same, verifies the checksums. Its `FrameDecoder` isn't used because it reads a whole frame from a blocking
//! reader: here a block is decompressed as soon as it has arrived, on a few threads for all chunks.

use std::hash::Hasher;

use twox_hash::XxHash32;

use super::{
    buffer_pool::{BufferPool, PooledBuffer},
    splitter::{Block, CHECKSUM, Coding, FrameEnd, Malformed, Piece, SEGMENT},
};

/// How far back a linked block may refer: LZ4 offsets have 16 bits.
const WINDOW: usize = 64 << 10;

/// Decompresses the pieces of one chunk. Pieces of plain bytes pass through.
#[derive(Debug)]
pub(crate) struct Lz4Decompressor {
    buffers: BufferPool,
    /// The buffer that is being filled, and how many bytes of it are.
    filling: Option<(PooledBuffer, usize)>,
    /// The last bytes that were decompressed, if blocks are linked.
    history: Vec<u8>,
    /// How many bytes of the frame have been decompressed, and their checksum if the frame has one.
    size: u64,
    checksum: XxHash32,
}

impl Lz4Decompressor {
    pub(crate) fn new(buffers: BufferPool) -> Self {
        Self { buffers, filling: None, history: Vec::new(), size: 0, checksum: XxHash32::with_seed(0) }
    }

    /// Takes a piece, and adds the buffers that are full to `ready`.
    pub(crate) fn take(&mut self, piece: Piece, ready: &mut Vec<PooledBuffer>) -> Result<(), Malformed> {
        match piece.coding {
            Coding::Plain => {
                ready.extend(self.finish());
                ready.push(piece.bytes);
                Ok(())
            }
            Coding::Block(block) => self.decompress(block, &piece.bytes, ready),
            Coding::FrameEnd(end) => self.end_frame(end),
        }
    }

    /// Compares what was decompressed with what the frame says about it.
    fn end_frame(&mut self, end: FrameEnd) -> Result<(), Malformed> {
        if end.is_empty {
            self.start_frame();
        }
        if end.size.is_some_and(|size| size != self.size) {
            return Err(Malformed::Damaged);
        }
        if end.checksum.is_some_and(|checksum| checksum != self.checksum.finish_32()) {
            return Err(Malformed::Checksum);
        }
        Ok(())
    }

    fn start_frame(&mut self) {
        self.history.clear();
        self.size = 0;
        self.checksum = XxHash32::with_seed(0);
    }

    /// Returns the buffer that is partly filled.
    pub(crate) fn finish(&mut self) -> Option<PooledBuffer> {
        self.filling.take().filter(|(_, at)| *at > 0).map(|(mut bytes, at)| {
            bytes.truncate(at);
            bytes
        })
    }

    fn decompress(
        &mut self,
        block: Block,
        input: &[u8],
        ready: &mut Vec<PooledBuffer>,
    ) -> Result<(), Malformed> {
        let (input, checksum) = input.split_at(input.len() - if block.has_checksum { CHECKSUM } else { 0 });
        if block.has_checksum && XxHash32::oneshot(0, input).to_le_bytes() != checksum {
            return Err(Malformed::Checksum);
        }
        if block.starts_frame {
            self.start_frame();
        }
        if self.filling.as_ref().is_some_and(|(out, at)| out.len() - at < block.limit) {
            ready.extend(self.finish());
        }
        let (out, at) = self.filling.get_or_insert_with(|| (self.buffers.take(SEGMENT.max(block.limit)), 0));
        let output = &mut out[*at..*at + block.limit];
        let length = match (block.compressed, block.linked && !self.history.is_empty()) {
            (false, _) => {
                // The splitter has checked that a block is no longer than its limit.
                output[..input.len()].copy_from_slice(input);
                input.len()
            }
            (true, false) => {
                lz4_flex::block::decompress_into(input, output).map_err(|_| Malformed::Damaged)?
            }
            (true, true) => lz4_flex::block::decompress_into_with_dict(input, output, &self.history)
                .map_err(|_| Malformed::Damaged)?,
        };
        if block.linked {
            self.history.extend_from_slice(&output[length.saturating_sub(WINDOW)..length]);
            let surplus = self.history.len().saturating_sub(WINDOW);
            self.history.drain(..surplus);
        }
        self.size += length as u64;
        if block.is_hashed {
            self.checksum.write(&output[..length]);
        }
        *at += length;
        if out.len() - *at < block.limit {
            ready.extend(self.finish());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use lz4_flex::frame::{BlockMode, BlockSize, FrameEncoder, FrameInfo};

    use super::{super::splitter::Splitter, *};

    /// What comes out if the bytes arrive in portions of this length.
    fn decompress(bytes: &[u8], portion: usize) -> Result<Vec<u8>, Malformed> {
        let buffers = BufferPool::default();
        let (mut splitter, mut lz4) =
            (Splitter::new(buffers.clone(), SEGMENT), Lz4Decompressor::new(buffers));
        let mut ready = Vec::new();
        for mut portion in bytes.chunks(portion) {
            while !portion.is_empty() {
                if let Some(piece) = splitter.take(&mut portion)? {
                    lz4.take(piece, &mut ready)?;
                }
            }
        }
        if let Some(piece) = splitter.finish()? {
            lz4.take(piece, &mut ready)?;
        }
        ready.extend(lz4.finish());
        Ok(ready.iter().flat_map(|bytes| bytes.to_vec()).collect())
    }

    fn sample(length: usize) -> Vec<u8> {
        (0..length).map(|i| if i % 3 == 0 { (i / 7 % 251) as u8 } else { 9 }).collect()
    }

    fn frame(data: &[u8], info: FrameInfo) -> Vec<u8> {
        let mut encoder = FrameEncoder::with_frame_info(info, Vec::new());
        encoder.write_all(data).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn plain_bytes_pass_through() {
        for length in [0, 1, 3, 4, 5, SEGMENT - 1, SEGMENT, SEGMENT + 5] {
            assert!(decompress(&sample(length), 70_001).unwrap() == sample(length), "{length}");
        }
    }

    #[test]
    fn frames_of_every_kind_in_a_row() {
        let data = sample(700_000);
        let mut compressed = Vec::new();
        let mut expected = Vec::new();
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for size in [BlockSize::Max64KB, BlockSize::Max4MB] {
                let info = FrameInfo::new()
                    .block_mode(mode)
                    .block_size(size)
                    .block_checksums(true)
                    .content_checksum(true)
                    .content_size(Some(data.len() as u64));
                compressed.extend(frame(&data, info));
                compressed.extend([0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]);
                expected.extend_from_slice(&data);
            }
        }
        compressed.extend(frame(b"", FrameInfo::new()));
        for portion in [1, 13, 4096, usize::MAX] {
            assert!(decompress(&compressed, portion).unwrap() == expected, "{portion}");
        }
    }

    #[test]
    fn noise_and_cuts_are_errors() {
        let noise: Vec<u8> = (0..300_000_u64)
            .map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(i | 1) >> 40) as u8)
            .collect();
        let whole = frame(&noise, FrameInfo::new().block_size(BlockSize::Max64KB));
        assert!(decompress(&whole, 9999).unwrap() == noise);
        for cut in [7, 20, 70_000, whole.len() - 1] {
            assert_eq!(decompress(&whole[..cut], 9999), Err(Malformed::Short), "{cut}");
        }
        let mut damaged = whole.clone();
        damaged[4] = 0xFF;
        assert_eq!(decompress(&damaged, 9999), Err(Malformed::Damaged));
        assert!(decompress(&[&whole[..4], &[0x40], &whole[5..]].concat(), 9999) == Err(Malformed::Checksum));
        let mut garbage = frame(&sample(100_000), FrameInfo::new());
        garbage[20..].fill(0xAB);
        assert!(decompress(&garbage, 9999).is_err());
    }
    /// Every byte of a frame with all checksums is protected by one of them, or by the format.
    #[test]
    fn no_flipped_bit_is_overlooked() {
        let data = sample(150_000);
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            let info =
                FrameInfo::new().block_mode(mode).block_size(BlockSize::Max64KB).content_checksum(true);
            for info in [info.clone(), info.clone().block_checksums(true), info.content_size(Some(150_000))] {
                let whole = frame(&data, info);
                assert!(decompress(&whole, 9973).unwrap() == data);
                for at in (0..whole.len()).step_by(211).chain(0..20).chain(whole.len() - 12..whole.len()) {
                    let mut damaged = whole.clone();
                    damaged[at] ^= 1 << (at % 8);
                    // Without its magic number, the chunk isn't compressed.
                    let outcome = decompress(&damaged, 9999);
                    assert!(outcome.is_err() || (at < 4 && outcome.unwrap() == damaged), "{at}");
                }
            }
        }
    }

    #[test]
    fn what_a_frame_says_about_its_content_is_verified_for_each() {
        let info = || FrameInfo::new().content_checksum(true);
        let (first, empty, second) = (frame(b"first", info()), frame(b"", info()), frame(b"second", info()));
        assert_eq!(decompress(&[&first[..], &empty, &second].concat(), 3).unwrap(), b"firstsecond");
        // The content of one frame, and the checksum of another.
        let swapped = [&first[..first.len() - CHECKSUM], &second[second.len() - CHECKSUM..]].concat();
        assert_eq!(decompress(&swapped, 3), Err(Malformed::Checksum));
        let mut not_empty = empty.clone();
        *not_empty.last_mut().unwrap() ^= 1;
        assert_eq!(decompress(&[&first[..], &not_empty].concat(), 3), Err(Malformed::Checksum));
        // Flags, block descriptor, content size and header checksum of a frame that announces five bytes.
        let five = frame(b"first", FrameInfo::new().content_size(Some(5)));
        let six = frame(b"second", FrameInfo::new().content_size(Some(6)));
        assert_eq!(decompress(&[&six[..15], &five[15..]].concat(), 3), Err(Malformed::Damaged));
        assert_eq!(decompress(&first[..first.len() - 1], 3), Err(Malformed::Short));
    }
}
