//! Unpacks pieces into buffers of plain bytes, each large enough for many rows.

use super::{
    buffer_pool::{Pool, Pooled},
    splitter::{Block, Coding, Malformed, Piece, SEGMENT},
};

/// How far back a linked block may refer.
const WINDOW: usize = 64 << 10;

/// The unpacked side of one chunk.
#[derive(Debug)]
pub(crate) struct Inflate {
    pool: Pool,
    filling: Option<(Pooled, usize)>,
    /// The last bytes unpacked, where blocks are linked.
    history: Vec<u8>,
}

impl Inflate {
    pub(crate) fn new(pool: Pool) -> Self {
        Self { pool, filling: None, history: Vec::new() }
    }

    /// Takes a piece; gives a buffer when one is full.
    pub(crate) fn take(&mut self, piece: Piece, ready: &mut Vec<Pooled>) -> Result<(), Malformed> {
        match piece.coding {
            Coding::Plain => {
                ready.extend(self.finish());
                ready.push(piece.bytes);
                Ok(())
            }
            Coding::Block(block) => self.unpack(block, &piece.bytes, ready),
        }
    }

    /// The buffer that isn't full.
    pub(crate) fn finish(&mut self) -> Option<Pooled> {
        self.filling.take().filter(|(_, at)| *at > 0).map(|(mut bytes, at)| {
            bytes.truncate(at);
            bytes
        })
    }

    fn unpack(&mut self, block: Block, packed: &[u8], ready: &mut Vec<Pooled>) -> Result<(), Malformed> {
        if self.filling.as_ref().is_some_and(|(out, at)| out.len() - at < block.limit) {
            ready.extend(self.finish());
        }
        let (out, at) = self.filling.get_or_insert_with(|| (self.pool.take(SEGMENT.max(block.limit)), 0));
        if block.begins_frame {
            self.history.clear();
        }
        let room = &mut out[*at..*at + block.limit];
        let length = match (block.packed, block.linked && !self.history.is_empty()) {
            (false, _) => {
                room[..packed.len()].copy_from_slice(packed);
                packed.len()
            }
            (true, false) => {
                lz4_flex::block::decompress_into(packed, room).map_err(|_| Malformed::Damaged)?
            }
            (true, true) => lz4_flex::block::decompress_into_with_dict(packed, room, &self.history)
                .map_err(|_| Malformed::Damaged)?,
        };
        if block.linked {
            self.history.extend_from_slice(&room[length.saturating_sub(WINDOW)..length]);
            let surplus = self.history.len().saturating_sub(WINDOW);
            self.history.drain(..surplus);
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

    /// What comes out when the bytes come in portions of `portion`.
    fn pass(bytes: &[u8], portion: usize) -> Result<Vec<u8>, Malformed> {
        let pool = Pool::default();
        let (mut splitter, mut inflate) = (Splitter::new(pool.clone(), SEGMENT), Inflate::new(pool));
        let mut ready = Vec::new();
        for mut portion in bytes.chunks(portion) {
            while !portion.is_empty() {
                if let Some(piece) = splitter.take(&mut portion)? {
                    inflate.take(piece, &mut ready)?;
                }
            }
        }
        if let Some(piece) = splitter.finish()? {
            inflate.take(piece, &mut ready)?;
        }
        ready.extend(inflate.finish());
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
    fn plain_bytes_pass_whatever_their_number() {
        for length in [0, 1, 3, 4, 5, SEGMENT - 1, SEGMENT, SEGMENT + 5] {
            assert!(pass(&sample(length), 70_001).unwrap() == sample(length), "{length}");
        }
    }

    #[test]
    fn frames_of_every_kind_end_to_end() {
        let data = sample(700_000);
        let mut packed = Vec::new();
        let mut expected = Vec::new();
        for mode in [BlockMode::Independent, BlockMode::Linked] {
            for size in [BlockSize::Max64KB, BlockSize::Max4MB] {
                let info = FrameInfo::new()
                    .block_mode(mode)
                    .block_size(size)
                    .block_checksums(true)
                    .content_checksum(true)
                    .content_size(Some(data.len() as u64));
                packed.extend(frame(&data, info));
                packed.extend([0x5A, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]);
                expected.extend_from_slice(&data);
            }
        }
        packed.extend(frame(b"", FrameInfo::new()));
        for portion in [1, 13, 4096, usize::MAX] {
            assert!(pass(&packed, portion).unwrap() == expected, "{portion}");
        }
    }

    #[test]
    fn noise_and_cuts_are_errors() {
        let noise: Vec<u8> = (0..300_000_u64)
            .map(|i| (i.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29).wrapping_mul(i | 1) >> 40) as u8)
            .collect();
        let whole = frame(&noise, FrameInfo::new().block_size(BlockSize::Max64KB));
        assert!(pass(&whole, 9999).unwrap() == noise);
        for cut in [7, 20, 70_000, whole.len() - 1] {
            assert_eq!(pass(&whole[..cut], 9999), Err(Malformed::Short), "{cut}");
        }
        let mut damaged = whole.clone();
        damaged[4] = 0xFF;
        assert_eq!(pass(&damaged, 9999), Err(Malformed::Damaged));
        let mut garbage = frame(&sample(100_000), FrameInfo::new());
        garbage[20..].fill(0xAB);
        assert!(pass(&garbage, 9999).is_err());
    }
}
