//! Splits a chunk's bytes into pieces that can be decoded one at a time, while more bytes arrive.
//!
//! Plain bytes are split into segments of a fixed size. LZ4 frames, of which a chunk may have several in a row, are
//! split into their blocks, so that each block is decompressed from one contiguous buffer as soon as it is complete.
//! Whether a chunk is compressed shows in its first four bytes: neither an Arrow stream nor JSON can start with the
//! magic number of an LZ4 frame, and the manifest doesn't always say.
//!
//! The checksum of a frame's header is verified here, and those of its blocks and its content where they are
//! decompressed. A frame that has none is taken as it is.
//!
//! The frame format: <https://github.com/lz4/lz4/blob/dev/doc/lz4_Frame_format.md>.

use twox_hash::XxHash32;

use super::buffer_pool::{BufferPool, PooledBuffer};
use crate::Error;

/// The size of a segment of plain bytes, in bytes.
pub(crate) const SEGMENT: usize = 4 << 20;

const FRAME_MAGIC: [u8; 4] = 0x184D_2204_u32.to_le_bytes();
/// The magic numbers of skippable frames are this one and the 15 after it.
const SKIPPABLE_MAGIC: u32 = 0x184D_2A50;
/// Magic number 4, flags and block descriptor 2, content size 8, header checksum 1.
const LONGEST_HEADER: usize = 4 + 2 + 8 + 1;
/// The length of the checksum of a block or of a frame's content.
pub(super) const CHECKSUM: usize = 4;

/// A buffer that is ready to be decoded.
#[derive(Debug)]
pub(crate) struct Piece {
    pub(crate) bytes: PooledBuffer,
    pub(crate) coding: Coding,
}

/// How a piece's bytes are encoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Coding {
    /// Not compressed.
    Plain,
    /// A block of an LZ4 frame, with its checksum behind it if it has one.
    Block(Block),
    /// No bytes: an LZ4 frame ends.
    FrameEnd(FrameEnd),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Block {
    /// Whether the block is compressed; LZ4 stores a block as it is if compressing doesn't make it smaller.
    pub(crate) compressed: bool,
    /// Whether the block may refer to the decompressed bytes of the blocks before it.
    pub(crate) linked: bool,
    /// Whether the block is the first of its frame.
    pub(crate) starts_frame: bool,
    /// The most bytes that the block decompresses to.
    pub(crate) limit: usize,
    /// Whether the last four bytes are the checksum of those before.
    pub(crate) has_checksum: bool,
    /// Whether the frame ends with a checksum of its content.
    pub(crate) is_hashed: bool,
}

/// What a frame says about its content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FrameEnd {
    /// Whether the frame has no block.
    pub(crate) is_empty: bool,
    pub(crate) size: Option<u64>,
    pub(crate) checksum: Option<u32>,
}

/// Takes bytes as they arrive, and returns pieces.
#[derive(Debug)]
pub(crate) struct Splitter {
    buffers: BufferPool,
    segment: usize,
    stage: Stage,
    /// A header of which some bytes are still missing, and how many bytes of it are there.
    header: [u8; LONGEST_HEADER],
    gathered: usize,
    /// The buffer that is being filled, and how many bytes of it are.
    filling: Option<(PooledBuffer, usize)>,
    frame: Frame,
}

/// What the next byte belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first four bytes, which tell whether the chunk is compressed.
    Magic,
    Plain,
    FrameHeader,
    BlockSize,
    Block {
        compressed: bool,
    },
    /// The checksum of the frame's content.
    ContentChecksum,
    /// A skippable frame.
    Skip {
        remaining: usize,
    },
}

/// What the header of the current frame says. Sizes are in bytes.
#[derive(Debug, Default, Clone, Copy)]
struct Frame {
    linked: bool,
    at_start: bool,
    block_limit: usize,
    block_checksum: bool,
    content_checksum: bool,
    content_size: Option<u64>,
}

/// Something on the way may have changed the bytes.
const HINT: &str = "read the result once more, by the id of the statement; if it is still damaged, report it to the service's support";

/// Why a chunk's bytes can't be split or decompressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Malformed {
    #[error("it ends too early")]
    Short,
    #[error("its compression is damaged")]
    Damaged,
    #[error("a checksum does not match its bytes")]
    Checksum,
}

impl Malformed {
    /// The error for a chunk whose bytes are malformed.
    pub(crate) fn in_chunk(self, index: u64) -> Error {
        Error::unexpected(format!("chunk {index} of the result is damaged: {self}")).with_hint(HINT)
    }
}

impl Splitter {
    /// A splitter for one chunk, whose plain bytes are split into pieces of `segment` bytes.
    pub(crate) fn new(buffers: BufferPool, segment: usize) -> Self {
        Self {
            buffers,
            segment,
            stage: Stage::Magic,
            header: [0; LONGEST_HEADER],
            gathered: 0,
            filling: None,
            frame: Frame::default(),
        }
    }

    /// Whether the next byte may need a new buffer.
    pub(crate) fn needs_buffer(&self) -> bool {
        self.filling.is_none()
    }

    /// Takes bytes up to the end of the current piece, and advances `bytes` past them. Returns the piece once it is
    /// complete.
    pub(crate) fn take(&mut self, bytes: &mut &[u8]) -> Result<Option<Piece>, Malformed> {
        while !bytes.is_empty() {
            let piece = match self.stage {
                Stage::Magic => {
                    if self.gather(bytes, FRAME_MAGIC.len()) {
                        let is_frame = self.header[..FRAME_MAGIC.len()] == FRAME_MAGIC;
                        self.stage = if is_frame { Stage::FrameHeader } else { Stage::Plain };
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
                        self.block_size()?
                    } else {
                        None
                    }
                }
                Stage::Block { compressed } => {
                    let Frame { linked, at_start: starts_frame, block_limit: limit, .. } = self.frame;
                    let (has_checksum, is_hashed) = (self.frame.block_checksum, self.frame.content_checksum);
                    let block = Block { compressed, linked, starts_frame, limit, has_checksum, is_hashed };
                    let size = self.filling.as_ref().map_or(0, |(buffer, _)| buffer.len());
                    let piece = self.fill(bytes, size, Coding::Block(block));
                    if piece.is_some() {
                        self.frame.at_start = false;
                        self.stage = Stage::BlockSize;
                    }
                    piece
                }
                Stage::ContentChecksum => {
                    if self.gather(bytes, CHECKSUM) {
                        let checksum = self.word(0);
                        self.end_frame(Some(checksum))
                    } else {
                        None
                    }
                }
                Stage::Skip { remaining } => {
                    let taken = remaining.min(bytes.len());
                    *bytes = &bytes[taken..];
                    self.skip(remaining - taken);
                    None
                }
            };
            if piece.is_some() {
                return Ok(piece);
            }
        }
        Ok(None)
    }

    /// Ends the chunk and returns its last piece, if there is one.
    ///
    /// # Errors
    /// [`Malformed::Short`] if the chunk can't end here.
    pub(crate) fn finish(&mut self) -> Result<Option<Piece>, Malformed> {
        match self.stage {
            Stage::Magic if self.gathered > 0 => self.replay_header(),
            Stage::Magic | Stage::Plain => {}
            Stage::FrameHeader if self.gathered == 0 => {}
            _ => return Err(Malformed::Short),
        }
        Ok(self.filling.take().map(|(mut bytes, length)| {
            bytes.truncate(length);
            Piece { bytes, coding: Coding::Plain }
        }))
    }

    /// Collects the first `length` bytes of a header. Returns whether all of them are there.
    fn gather(&mut self, bytes: &mut &[u8], length: usize) -> bool {
        let taken = length.saturating_sub(self.gathered).min(bytes.len());
        self.header[self.gathered..self.gathered + taken].copy_from_slice(&bytes[..taken]);
        self.gathered += taken;
        *bytes = &bytes[taken..];
        self.gathered >= length
    }

    /// Moves bytes that were collected as a header, and aren't one, to the first segment.
    fn replay_header(&mut self) {
        let mut buffer = self.buffers.take(self.segment);
        buffer[..self.gathered].copy_from_slice(&self.header[..self.gathered]);
        self.filling = Some((buffer, self.gathered));
        self.gathered = 0;
    }

    fn fill(&mut self, bytes: &mut &[u8], size: usize, coding: Coding) -> Option<Piece> {
        let (buffer, at) = self.filling.get_or_insert_with(|| (self.buffers.take(size), 0));
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
        // The flags are the fifth byte and the descriptor is the sixth. With them the length of the header is known.
        if !self.gather(bytes, 6) {
            return Ok(());
        }
        if self.word(0) & 0xFFFF_FFF0 == SKIPPABLE_MAGIC {
            // A skippable frame holds data for other programs. Its length follows the magic number.
            if self.gather(bytes, 8) {
                self.gathered = 0;
                self.skip(self.word(4) as usize);
            }
            return Ok(());
        }
        let (flags, descriptor) = (self.header[4], self.header[5]);
        let is_set = |bit: u8| flags & bit != 0;
        // The version in the two upper bits is always 1, and a dictionary (bit 0) would have to come another way. The
        // other bits are reserved.
        let is_known = flags >> 6 == 1 && !is_set(0x01) && !is_set(0x02) && descriptor & 0x8F == 0;
        if self.header[..4] != FRAME_MAGIC || !is_known {
            return Err(Malformed::Damaged);
        }
        let end = if is_set(0x08) { 4 + 2 + 8 } else { 4 + 2 };
        if !self.gather(bytes, end + 1) {
            return Ok(());
        }
        // The checksum of the header is the second byte of that of all between the magic number and it.
        if XxHash32::oneshot(0, &self.header[4..end]).to_le_bytes()[1] != self.header[end] {
            return Err(Malformed::Checksum);
        }
        let content_size = u64::from(self.word(6)) | u64::from(self.word(10)) << 32;
        self.frame = Frame {
            linked: !is_set(0x20),
            at_start: true,
            block_limit: match descriptor >> 4 {
                4 => 64 << 10,
                5 => 256 << 10,
                6 => 1 << 20,
                7 => 4 << 20,
                _ => return Err(Malformed::Damaged),
            },
            block_checksum: is_set(0x10),
            content_checksum: is_set(0x04),
            content_size: is_set(0x08).then_some(content_size),
        };
        self.gathered = 0;
        self.stage = Stage::BlockSize;
        Ok(())
    }

    /// Starts the next block, or ends the frame.
    fn block_size(&mut self) -> Result<Option<Piece>, Malformed> {
        // The upper bit says that the block is stored as it is. A size of 0 ends the frame.
        let word = self.word(0);
        self.gathered = 0;
        if word == 0 {
            if self.frame.content_checksum {
                self.stage = Stage::ContentChecksum;
                return Ok(None);
            }
            return Ok(self.end_frame(None));
        }
        let size = (word & 0x7FFF_FFFF) as usize;
        if size > self.frame.block_limit || size == 0 {
            return Err(Malformed::Damaged);
        }
        let checksum = if self.frame.block_checksum { CHECKSUM } else { 0 };
        self.filling = Some((self.buffers.take(size + checksum), 0));
        self.stage = Stage::Block { compressed: word >> 31 == 0 };
        Ok(None)
    }

    /// Ends the frame. Returns a piece if there is something to verify.
    fn end_frame(&mut self, checksum: Option<u32>) -> Option<Piece> {
        let Frame { at_start: is_empty, content_size: size, .. } = self.frame;
        self.gathered = 0;
        self.stage = Stage::FrameHeader;
        let end = FrameEnd { is_empty, size, checksum };
        let has_claims = size.is_some() || checksum.is_some();
        has_claims.then(|| Piece { bytes: self.buffers.take(0), coding: Coding::FrameEnd(end) })
    }

    /// The four bytes of the header from this one on.
    fn word(&self, at: usize) -> u32 {
        let mut word = [0; 4];
        word.copy_from_slice(&self.header[at..at + 4]);
        u32::from_le_bytes(word)
    }

    fn skip(&mut self, remaining: usize) {
        self.stage = if remaining == 0 { Stage::FrameHeader } else { Stage::Skip { remaining } };
    }
}
