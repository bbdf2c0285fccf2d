//! What is uploaded: bytes in memory, a file, or a reader. All are read while they are sent, also bytes in memory: the HTTP
//! client takes a long body in one piece for silence.
//!
//! - Bytes and files can be read again, so an upload that breaks off can be repeated where that is safe. A reader is read
//!   once.
//! - A body says its length if it is known, and fails if the source turns out to have another one.

use std::{
    fmt,
    io::{self, Cursor},
    path::{Path, PathBuf},
    pin::Pin,
    sync::{Mutex, PoisonError},
    task::{Context, Poll, ready},
};

use brickwire_wire::Upload;
use bytes::Bytes;
use futures_core::Stream;
use http_body::{Body, Frame, SizeHint};
use tokio::{
    fs::File,
    io::{AsyncRead, AsyncReadExt},
};
use tokio_util::io::ReaderStream;

use crate::{Error, ErrorKind, Event, Events, Result};

/// How much is read at once, in bytes.
const PIECE: usize = 256 << 10;

/// What to upload to a file of the workspace.
///
/// ```
/// use brickwire_actions::Content;
/// let text = Content::from("a,b\n1,2\n");
/// let file = Content::from_file("report.csv");
/// // Anything that can be read, such as standard input. Its upload is not repeated.
/// let piped = Content::from_reader(&b"from elsewhere"[..]);
/// ```
pub struct Content(Source);

enum Source {
    Bytes(Bytes),
    File(PathBuf),
    Reader(Option<Reader>),
}

/// Something to read from.
pub(crate) type Reader = Box<dyn AsyncRead + Send + Unpin>;

impl Content {
    /// A file of this machine. It is opened when it is sent.
    pub fn from_file(path: impl Into<PathBuf>) -> Self {
        Self(Source::File(path.into()))
    }

    /// What a reader returns until its end. It can be sent once: if the upload breaks off, its outcome is unknown.
    pub fn from_reader(reader: impl AsyncRead + Send + Unpin + 'static) -> Self {
        Self(Source::Reader(Some(Box::new(reader))))
    }

    /// Whether it is in memory.
    pub(crate) fn is_in_memory(&self) -> bool {
        matches!(self.0, Source::Bytes(_))
    }

    /// Whether it can be read a second time.
    pub(crate) fn can_be_read_again(&self) -> bool {
        !matches!(self.0, Source::Reader(_))
    }

    /// The length in bytes; `None` for a reader.
    ///
    /// # Errors
    /// [`ErrorKind::Local`] for a file that can't be read.
    pub(crate) fn length(&self) -> Result<Option<u64>> {
        match &self.0 {
            Source::Bytes(bytes) => Ok(Some(bytes.len() as u64)),
            Source::Reader(_) => Ok(None),
            Source::File(path) => {
                let known = path.metadata().map_err(|error| unreadable(path, &error))?;
                if !known.is_file() {
                    let what = if known.is_dir() { "this is a folder" } else { "this is not a regular file" };
                    return Err(Error::new(ErrorKind::Local, format!("{what}: {}", path.display())));
                }
                Ok(Some(known.len()))
            }
        }
    }

    /// Opens it, a reader once only.
    pub(crate) async fn open(&mut self) -> Result<Reader> {
        match &mut self.0 {
            Source::Bytes(bytes) => Ok(Box::new(Cursor::new(bytes.clone()))),
            Source::File(path) => Ok(Box::new(open(path).await?)),
            Source::Reader(reader) => {
                reader.take().ok_or_else(|| Error::usage("a reader can't be read twice"))
            }
        }
    }

    /// The body of a request. Sending more than `most` bytes is an error.
    pub(crate) fn into_upload(self, most: u64, report: Report) -> Upload {
        let body = move |reader: Reader, length: Option<u64>| {
            let reader = Mutex::new(ReaderStream::with_capacity(reader, PIECE));
            reqwest::Body::wrap(Streamed { reader, length, most, sent: 0, report: report.clone() })
        };
        match self.0 {
            Source::Reader(None) => Upload::once(Bytes::new()),
            Source::Reader(Some(reader)) => Upload::once(body(reader, None)),
            Source::Bytes(bytes) => Upload::reopened(move || {
                let body = body(Box::new(Cursor::new(bytes.clone())), Some(bytes.len() as u64));
                std::future::ready(Ok(body))
            }),
            Source::File(path) => {
                let body = std::sync::Arc::new(body);
                Upload::reopened(move || {
                    let (path, body) = (path.clone(), body.clone());
                    async move {
                        let file = open(&path).await?;
                        let known = file.metadata().await.map_err(|error| unreadable(&path, &error))?;
                        // Bytes that are appended meanwhile belong to the next version of the file.
                        let length = known.len();
                        Ok(body(Box::new(file.take(length)), Some(length)))
                    }
                })
            }
        }
    }
}

impl<T: Into<Bytes>> From<T> for Content {
    /// Bytes in memory.
    fn from(bytes: T) -> Self {
        Self(Source::Bytes(bytes.into()))
    }
}

/// Shows nothing of the content.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Source::Bytes(bytes) => write!(f, "Content({} bytes)", bytes.len()),
            Source::File(path) => write!(f, "Content({})", path.display()),
            Source::Reader(_) => f.write_str("Content(reader)"),
        }
    }
}

/// Tells how much of a file has been transferred.
#[derive(Debug, Clone)]
pub(crate) struct Report {
    events: Events,
    path: String,
}

impl Report {
    pub(crate) fn new(events: &Events, path: &str) -> Self {
        Self { events: events.clone(), path: path.to_owned() }
    }

    pub(crate) fn transferred(&self, bytes: u64, total_bytes: Option<u64>) {
        self.events.emit(|| Event::FileTransferred { path: self.path.clone(), bytes, total_bytes });
    }
}

async fn open(path: &Path) -> Result<File> {
    File::open(path).await.map_err(|error| unreadable(path, &error))
}

fn unreadable(path: &Path, error: &io::Error) -> Error {
    Error::new(ErrorKind::Local, format!("cannot read this file: {error}: {}", path.display()))
}

/// A body that is read while it is sent.
struct Streamed {
    /// Never locked: the mutex makes it `Sync`, which bodies have to be.
    reader: Mutex<ReaderStream<Reader>>,
    length: Option<u64>,
    most: u64,
    sent: u64,
    report: Report,
}

impl Body for Streamed {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        let reader = self.reader.get_mut().unwrap_or_else(PoisonError::into_inner);
        let Some(piece) = ready!(Pin::new(reader).poll_next(context)) else {
            let is_short = self.length.is_some_and(|length| length != self.sent);
            let error = || io::Error::new(io::ErrorKind::UnexpectedEof, "the file shrank during the upload");
            return Poll::Ready(is_short.then(|| Err(error())));
        };
        let piece = piece?;
        self.sent += piece.len() as u64;
        if self.sent > self.most {
            let text = format!("it is larger than {} GiB", self.most >> 30);
            return Poll::Ready(Some(Err(io::Error::new(io::ErrorKind::FileTooLarge, text))));
        }
        self.report.transferred(self.sent, self.length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.length == Some(self.sent)
    }

    fn size_hint(&self) -> SizeHint {
        self.length.map_or_else(SizeHint::default, SizeHint::with_exact)
    }
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    /// The pieces of a body, or the error that ends it.
    async fn pieces(mut body: Streamed) -> Result<Vec<usize>, String> {
        let mut pieces = Vec::new();
        while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
            pieces.push(frame.map_err(|error| error.to_string())?.into_data().unwrap().len());
        }
        Ok(pieces)
    }

    fn streamed(bytes: usize, length: Option<u64>, most: u64) -> Streamed {
        let reader: Reader = Box::new(Cursor::new(vec![b'x'; bytes]));
        let reader = Mutex::new(ReaderStream::with_capacity(reader, PIECE));
        Streamed { reader, length, most, sent: 0, report: Report::new(&Events::default(), "/x") }
    }

    #[tokio::test]
    async fn a_body_comes_in_pieces_and_is_as_long_as_it_says() {
        let body = streamed(PIECE + 1, Some(PIECE as u64 + 1), u64::MAX);
        assert_eq!(body.size_hint().exact(), Some(PIECE as u64 + 1));
        assert_eq!(pieces(body).await.unwrap(), [PIECE, 1]);
        assert_eq!(pieces(streamed(0, Some(0), 0)).await.unwrap(), [] as [usize; 0]);
        let error = pieces(streamed(10, Some(11), u64::MAX)).await.unwrap_err();
        assert_eq!(error, "the file shrank during the upload");
        let error = pieces(streamed(PIECE + 1, None, PIECE as u64)).await.unwrap_err();
        assert!(error.starts_with("it is larger than "), "{error}");
    }

    #[test]
    fn bytes_in_memory_are_streamed_too_and_debug_shows_none() {
        let content = Content::from("s3cret");
        assert_eq!(format!("{content:?}"), "Content(6 bytes)");
        let upload = content.into_upload(9, Report::new(&Events::default(), "/x"));
        assert_eq!(format!("{upload:?}"), "Upload(reopened)");
    }
}
