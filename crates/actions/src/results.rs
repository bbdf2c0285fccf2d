//! The rows of a statement's result.

mod buffer_pool;
mod download;
mod link;
mod lz4;
mod pipeline;
mod ramp_up;
mod reader;
#[cfg(feature = "arrow")]
mod record_batches;
mod rows;
mod scheduler;
mod splitter;
mod statement_result;

pub use reader::FetchOptions;
#[cfg(feature = "arrow")]
pub use record_batches::RecordBatches;
pub use rows::{Row, Rows, RowsIter};
pub use statement_result::{RowStream, StatementResult};
