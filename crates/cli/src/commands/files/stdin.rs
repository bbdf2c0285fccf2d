//! Standard input in place of a file.

use std::io;

use tokio::fs::File;

/// Standard input, read outside of this thread.
pub(super) fn stdin() -> io::Result<File> {
    #[cfg(unix)]
    let own = std::os::fd::AsFd::as_fd(&io::stdin()).try_clone_to_owned()?;
    #[cfg(windows)]
    let own = std::os::windows::io::AsHandle::as_handle(&io::stdin()).try_clone_to_owned()?;
    Ok(File::from_std(own.into()))
}
