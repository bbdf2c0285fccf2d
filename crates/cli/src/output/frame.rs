//! What a command would have printed, for `--watch`.

use std::{
    io::{self, Write},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Text that is kept instead of being printed. Clones share it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Frame(Arc<Mutex<Kept>>);

#[derive(Debug, Default)]
struct Kept {
    text: Vec<u8>,
    id: Option<&'static str>,
}

impl Frame {
    /// Takes what has been printed, and the JSON pointer to the ID of its items if they are a list.
    pub(crate) fn take(&self) -> (String, Option<&'static str>) {
        let kept = std::mem::take(&mut *self.kept());
        (String::from_utf8_lossy(&kept.text).into_owned(), kept.id)
    }

    pub(super) fn identify(&self, pointer: &'static str) {
        self.kept().id = Some(pointer);
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Write for Frame {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.kept().text.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
