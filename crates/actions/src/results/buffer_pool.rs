//! A buffer pool: touching memory that is new to the process costs as much as decompressing LZ4 into it, so buffers are
//! reused.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

/// Buffer sizes are rounded up to a multiple of this, so that a returned buffer fits a slightly larger request.
const GRAIN: usize = 256 << 10;

/// A free buffer that is more than this many times as large as needed is left for a larger request.
const WASTE: usize = 4;

/// The buffers that are not in use. Clones share them. The pool never shrinks: the pipeline's memory limit bounds how
/// many buffers exist at a time.
#[derive(Debug, Clone, Default)]
pub(crate) struct BufferPool(Arc<Mutex<Vec<Vec<u8>>>>);

impl BufferPool {
    /// A buffer of `length` bytes with arbitrary contents: the smallest free one that fits, else a new one.
    pub(crate) fn take(&self, length: usize) -> PooledBuffer {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = length.next_multiple_of(GRAIN).saturating_mul(WASTE);
        let fitting =
            free.iter().map(Vec::len).enumerate().filter(|&(_, size)| (length..=limit).contains(&size));
        let memory = match fitting.min_by_key(|&(_, size)| size) {
            Some((at, _)) => free.swap_remove(at),
            None => vec![0; length.next_multiple_of(GRAIN)],
        };
        PooledBuffer { memory, used: length, pool: self.clone() }
    }
}

/// A buffer that returns to its pool when dropped. As the owner of a `Bytes` it is dropped with the last slice of it.
#[derive(Debug)]
pub(crate) struct PooledBuffer {
    memory: Vec<u8>,
    /// How many bytes of the memory are visible.
    used: usize,
    pool: BufferPool,
}

impl PooledBuffer {
    /// Keeps only the first `length` bytes visible.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.used = self.used.min(length);
    }
}

impl Deref for PooledBuffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.used]
    }
}

impl DerefMut for PooledBuffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.used]
    }
}

impl AsRef<[u8]> for PooledBuffer {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for PooledBuffer {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_returned_buffer_is_used_again() {
        let pool = BufferPool::default();
        let mut first = pool.take(300 << 10);
        first[0] = 7;
        let place = first.as_ptr();
        first.truncate(1);
        assert_eq!(&*first, [7]);
        drop(first);
        let again = pool.take(500 << 10);
        assert_eq!((again.as_ptr(), again.len()), (place, 500 << 10));
        let other = pool.take(500 << 10);
        assert_ne!(other.as_ptr(), place);
    }

    #[test]
    fn a_large_buffer_is_not_used_for_a_small_request() {
        let pool = BufferPool::default();
        drop(pool.take(4 << 20));
        assert_eq!(pool.take(1).memory.len(), GRAIN);
        assert_eq!(pool.take(4 << 20).memory.len(), 4 << 20);
    }
}
