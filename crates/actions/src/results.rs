//! The result engine: turns the chunks of one SQL result into rows or record batches, in order and in bounded memory.
//!
//! It decides how many chunks are downloaded at a time, which piece is decoded next, how much memory a result may
//! use, and whether a result is complete. It knows the wire, and a [`ChunkSource`] that says where chunk n is.
//!
//! ```text
//!    statement API                                    object store
//!         │ link to chunk n, or its rows                   │ bytes
//! ┌───────┴───────┐   starts in the order    ┌─────────────┴─────────────┐
//! │   Scheduler   ├─────────────────────────►│ one download per chunk,   │
//! │   one task    │   of the chunks          │ as many as RampUp allows  │
//! └───────┬───────┘                          └─────────────┬─────────────┘
//!         │                                                │ pieces (Splitter); waits for memory
//!         │ a ChunkReceiver                  ┌─────────────▼─────────────┐ jobs  ┌───────────────────────┐
//!         │ for each chunk, in order         │ Pipeline: the pieces of   ├──────►│ blocking threads, one │
//!         │                                  │ each chunk, bytes counted │◄──────┤ per core: LZ4, then   │
//!         │                                  └─────────────┬─────────────┘ rows  │ Arrow or JSON         │
//!         │                                                │                     └───────────────────────┘
//! ┌───────▼────────────────────────────────────────────────▼──────┐
//! │ ChunkReader: polled by the caller, one chunk after the other  │
//! └───────────────────────────────────────────────────────────────┘
//! ```
//!
//! What always holds:
//!
//! - **Owners.** The reader owns the scheduler's task; the scheduler owns the downloads, the link requests and the
//!   connections that are being opened. All of them share the `Pipeline`. A piece belongs to its chunk's queue or to
//!   one decode job.
//! - **Order.** The scheduler sends receivers in the order of the chunks, and the reader exhausts one before it takes
//!   the next. A chunk has at most one decode job at a time, so its pieces are decoded in order.
//! - **Bounds.** [`FetchOptions::with_memory`] bounds the bytes that have arrived and wait for the reader. Beyond it
//!   a download gets its next buffer only if its chunk is the reader's, so a download adds at most the buffer it has.
//!   Downloads are bounded by the ramp-up, chunks ahead of the reader by `CHUNKS_AHEAD`, decode jobs by the number of
//!   cores. The channels are unbounded, because what is in them is counted.
//! - **Progress.** The chunk that the reader is at never waits for memory, and neither it nor the next one waits to
//!   be decoded.
//! - **Wakeups.** Messages wake the reader. `Pipeline::changed` wakes the downloads that wait for memory, and the
//!   scheduler: after each job, when the reader takes rows that something was held back for, and when it goes on to
//!   another chunk. Each of them creates its `Notified` before it looks at the state, so no wakeup is lost.
//! - **Errors.** An error travels in its chunk's channel, so the rows before it are read first. Later
//!   chunks are downloaded on until the reader is dropped or the limits are reached.
//! - **Completeness.** What the service says about chunks and rows must agree: manifest, links, checksums, and the rows
//!   themselves. The reader compares offsets and columns, so that the first chunk that differs is the one that an error
//!   names. What comes without a checksum or a count is taken as it is.
//! - **Drop.** Dropping the reader aborts the scheduler, and with it all downloads and requests. A decode job that is
//!   running ends on its thread, and drops its chunk since no one receives the rows. If the scheduler ends in any other way, incomplete chunks
//!   are abandoned and the reader gets an error. The statement itself is canceled by the [`CancelGuard`].

#[cfg(feature = "arrow")]
mod batch_decoder;
mod buffer_pool;
mod chunk_reader;
mod chunks;
mod decode;
mod decode_job;
mod download;
mod extent;
mod layout;
mod link;
mod lz4;
mod options;
mod panics;
mod pipeline;
mod ramp_up;
#[cfg(feature = "arrow")]
mod record_batches;
mod result_reader;
mod rows;
mod scheduler;
#[cfg(feature = "arrow")]
mod schema;
mod source;
mod splitter;
mod statement_result;
mod task;

#[cfg(fuzzing)]
pub(crate) mod fuzzing;

pub use options::FetchOptions;
#[cfg(feature = "arrow")]
pub use record_batches::RecordBatches;
pub(crate) use result_reader::{CancelGuard, ResultParts};
pub use rows::{
    Row, Rows, RowsIter,
    cell::{Cell, ColumnIndex},
};
pub(crate) use source::{ChunkAnswer, ChunkSource};
pub use statement_result::{RowStream, StatementResult};
