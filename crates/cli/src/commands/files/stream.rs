//! Standard output in place of a file.

use std::{
    io::{self, Write},
    pin::Pin,
    task::{Context as Task, Poll},
};

use brickwire_actions::ErrorKind;
use tokio::io::AsyncWrite;

use super::{item::Item, store::Stores};
use crate::{
    context::Context,
    failure::{Failure, Result},
    terminal,
};

/// Prints files, one after the other. On a terminal, control characters are shown instead of obeyed.
pub(super) async fn print(stores: &Stores, files: &[Item], context: &Context) -> Result {
    if let Some(directory) = files.iter().find(|item| item.is_directory()) {
        let text = format!("this is a directory: {}", directory.location);
        return Err(Failure::new(ErrorKind::Rejected, text).with_hint("list it with `brick files ls`"));
    }
    context.progress().clear();
    let mut out = Stdout { out: terminal::stdout(), error: None };
    for file in files {
        if let Err(error) = stores.read(file, &mut out).await {
            // A reader that is gone, such as `head`, is not a failure.
            return Err(out.error.take().map_or_else(|| error.into(), Failure::from));
        }
    }
    Ok(())
}

/// Standard output, which blocks this thread as all output does.
struct Stdout {
    out: Box<dyn Write + Send>,
    /// Why it couldn't be written to.
    error: Option<io::Error>,
}

impl Stdout {
    fn keep<T>(&mut self, done: io::Result<T>) -> Poll<io::Result<T>> {
        Poll::Ready(done.map_err(|error| {
            let kind = error.kind();
            self.error = Some(error);
            kind.into()
        }))
    }
}

impl AsyncWrite for Stdout {
    fn poll_write(mut self: Pin<&mut Self>, _: &mut Task<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let done = self.out.write(bytes);
        self.keep(done)
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Task<'_>) -> Poll<io::Result<()>> {
        let done = self.out.flush();
        self.keep(done)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Task<'_>) -> Poll<io::Result<()>> {
        self.poll_flush(context)
    }
}
