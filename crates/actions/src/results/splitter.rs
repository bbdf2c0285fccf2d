//! Lays a chunk's bytes, as they come in, into buffers that can be worked on one by one.
//!
//! Plain bytes are laid into segments. LZ4 frames, of which there may be several end to end, are laid block by block, so
//! that each is unpacked from one contiguous buffer as soon as it is whole. Whether a chunk is packed is seen from its
//! first bytes: neither Arrow nor JSON can begin like a frame, and the manifest need not say.

use super::buffer_pool::{Pool, Pooled};

/// Plain bytes are laid into segments of this size.
pub(crate) const SEGMENT: usize = 4 << 20;

const FRAME: [u8; 4] = 0x184D_2204_u32.to_le_bytes();
/// Magic, flags, block descriptor, content size, dictionary id, checksum.
const LONGEST_HEADER: usize = 4 + 2 + 8 + 4 + 1;

/// A buffer ready to be worked on.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: Pooled,
    pub(crate) coding: Coding,
}

/// What a piece's bytes are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Themselves.
    Plain,
    /// A block of an LZ4 frame.
    Block(Block),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    pub(crate) packed: bool,
    /// Whether it refers to what the blocks before it unpack to.
    pub(crate) linked: bool,
    pub(crate) begins_frame: bool,
    /// The most bytes it unpacks to.
    pub(crate) limit: usize,
}

/// Takes bytes as they come, gives pieces.
#[derive(Debug)]
pub(crate) struct Splitter {
    pool: Pool,
    segment: usize,
    stage: Stage,
    /// A header that has come in part.
    header: [u8; LONGEST_HEADER],
    have: usize,
    /// The buffer being filled and how far it is.
    filling: Option<(Pooled, usize)>,
    frame: Frame,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Start,
    Plain,
    FrameHeader,
    BlockSize,
    Block { packed: bool },
    Skip { left: usize, then: After },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum After {
    Block,
    Frame,
}

#[derive(Debug, Default, Clone, Copy)]
struct Frame {
    linked: bool,
    begins: bool,
    limit: usize,
    block_checksum: usize,
    content_checksum: usize,
}

/// The bytes are no LZ4 frame after all, or end too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("it ends too early")]
    Short,
    #[error("its compression is damaged")]
    Damaged,
}

impl Splitter {
    /// Plain bytes are cut into pieces of this size.
    pub(crate) fn new(pool: Pool, segment: usize) -> Self {
        Self {
            pool,
            segment,
            stage: Stage::Start,
            header: [0; LONGEST_HEADER],
            have: 0,
            filling: None,
            frame: Frame::default(),
        }
    }

    /// Whether the next byte needs a buffer that isn't there yet.
    pub(crate) fn wants_memory(&self) -> bool {
        self.filling.is_none()
    }

    /// Takes some of the bytes, up to the end of a piece at the most, and moves past them.
    pub(crate) fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<Piece>, Malformed> {
        while !bytes.is_empty() {
            let piece = match self.stage {
                Stage::Start => {
                    if self.gather(bytes, FRAME.len()) {
                        let magic = &self.header[..FRAME.len()];
                        self.stage = if magic == FRAME { Stage::FrameHeader } else { Stage::Plain };
                        if self.stage == Stage::Plain {
                            self.replay_header();
                        }
                    }
                    None
                }
                Stage::Plain => self.fill(bytes, self.segment, Coding::Plain),
                Stage::FrameHeader => {
                    self.frame_header(bytes)?;
                    None
                }
                Stage::BlockSize => {
                    if self.gather(bytes, 4) {
                        self.block_size()?;
                    }
                    None
                }
                Stage::Block { packed } => {
                    let Frame { linked, begins, limit, .. } = self.frame;
                    let block = Block { packed, linked, begins_frame: begins, limit };
                    let size = self.filling.as_ref().map_or(0, |(buffer, _)| buffer.len());
                    let piece = self.fill(bytes, size, Coding::Block(block));
                    if piece.is_some() {
                        self.frame.begins = false;
                        self.skip(self.frame.block_checksum, After::Block);
                    }
                    piece
                }
                Stage::Skip { left, then } => {
                    let taken = left.min(bytes.len());
                    *bytes = &bytes[taken..];
                    self.skip(left - taken, then);
                    None
                }
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
        Ok(None)
    }

    /// The last piece; an error if the bytes can't end here.
    pub(crate) fn finish(&mut self) -> Result<Option<Piece>, Malformed> {
        match self.stage {
            Stage::Start if self.have > 0 => self.replay_header(),
            Stage::Start | Stage::Plain => {}
            Stage::FrameHeader if self.have == 0 => {}
            _ => return Err(Malformed::Short),
        }
        Ok(self.filling.take().map(|(mut bytes, length)| {
            bytes.truncate(length);
            Piece { bytes, coding: Coding::Plain }
        }))
    }

    /// Collects a header; whether it is all there.
    fn gather(&mut self, bytes: &mut &[u8], length: usize) -> bool {
        let taken = length.saturating_sub(self.have).min(bytes.len());
        self.header[self.have..self.have + taken].copy_from_slice(&bytes[..taken]);
        self.have += taken;
        *bytes = &bytes[taken..];
        self.have >= length
    }

    /// What was taken for a header belongs to the plain bytes.
    fn replay_header(&mut self) {
        let mut buffer = self.pool.take(self.segment);
        buffer[..self.have].copy_from_slice(&self.header[..self.have]);
        self.filling = Some((buffer, self.have));
        self.have = 0;
    }

    fn fill(&mut self, bytes: &mut &[u8], size: usize, coding: Coding) -> Option<Piece> {
        let (buffer, at) = self.filling.get_or_insert_with(|| (self.pool.take(size), 0));
        let taken = (buffer.len() - *at).min(bytes.len());
        buffer[*at..*at + taken].copy_from_slice(&bytes[..taken]);
        *at += taken;
        *bytes = &bytes[taken..];
        if *at < buffer.len() {
            return None;
        }
        self.filling.take().map(|(bytes, _)| Piece { bytes, coding })
    }

    fn frame_header(&mut self, bytes: &mut &[u8]) -> Result<(), Malformed> {
        // Six bytes tell the length of any header.
        if !self.gather(bytes, 6) {
            return Ok(());
        }
        let magic = u32::from_le_bytes([self.header[0], self.header[1], self.header[2], self.header[3]]);
        if magic & 0xFFFF_FFF0 == 0x184D_2A50 {
            // A frame for others; its length follows.
            if !self.gather(bytes, 8) {
                return Ok(());
            }
            let [a, b, c, d] = [self.header[4], self.header[5], self.header[6], self.header[7]];
            self.have = 0;
            self.skip(u32::from_le_bytes([a, b, c, d]) as usize, After::Frame);
            return Ok(());
        }
        let (flags, descriptor) = (self.header[4], self.header[5]);
        let has = |bit: u8, bytes: usize| if flags & bit != 0 { bytes } else { 0 };
        if self.header[..4] != FRAME || flags >> 6 != 1 || has(0x01, 1) == 1 {
            return Err(Malformed::Damaged);
        }
        if !self.gather(bytes, 4 + 2 + has(0x08, 8) + 1) {
            return Ok(());
        }
        self.frame = Frame {
            linked: has(0x20, 1) == 0,
            begins: true,
            limit: match descriptor >> 4 & 7 {
                4 => 64 << 10,
                5 => 256 << 10,
                6 => 1 << 20,
                7 => 4 << 20,
                _ => return Err(Malformed::Damaged),
            },
            // Checksums are skipped: TLS and the store see to the bytes, the decoder and the row counts to the rest.
            block_checksum: has(0x10, 4),
            content_checksum: has(0x04, 4),
        };
        self.have = 0;
        self.stage = Stage::BlockSize;
        Ok(())
    }

    fn block_size(&mut self) -> Result<(), Malformed> {
        let word = u32::from_le_bytes([self.header[0], self.header[1], self.header[2], self.header[3]]);
        self.have = 0;
        if word == 0 {
            self.skip(self.frame.content_checksum, After::Frame);
            return Ok(());
        }
        let size = (word & 0x7FFF_FFFF) as usize;
        if size > self.frame.limit || size == 0 {
            return Err(Malformed::Damaged);
        }
        self.filling = Some((self.pool.take(size), 0));
        self.stage = Stage::Block { packed: word >> 31 == 0 };
        Ok(())
    }

    fn skip(&mut self, left: usize, then: After) {
        self.stage = match (left, then) {
            (0, After::Block) => Stage::BlockSize,
            (0, After::Frame) => Stage::FrameHeader,
            _ => Stage::Skip { left, then },
        };
    }
}
