//! Memory that goes round: memory new to the process costs as much to touch as LZ4 costs to unpack.

use std::{
    ops::{Deref, DerefMut},
    sync::{Arc, Mutex, PoisonError},
};

/// Sizes are rounded up to this, so that a buffer fits the next need too.
const GRAIN: usize = 256 << 10;

/// A free buffer this many times too large is left for a larger need.
const WASTE: usize = 4;

/// Buffers nobody uses just now.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pool(Arc<Mutex<Vec<Vec<u8>>>>);

impl Pool {
    /// A buffer of `length` bytes, whatever they are: the smallest that will do, else a new one.
    pub(crate) fn take(&self, length: usize) -> Pooled {
        let mut free = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let limit = length.next_multiple_of(GRAIN).saturating_mul(WASTE);
        let fitting =
            free.iter().map(Vec::len).enumerate().filter(|&(_, size)| (length..=limit).contains(&size));
        let memory = match fitting.min_by_key(|&(_, size)| size) {
            Some((at, _)) => free.swap_remove(at),
            None => vec![0; length.next_multiple_of(GRAIN)],
        };
        Pooled { memory, used: length, pool: self.clone() }
    }
}

/// A buffer that goes back to its pool when the last that looks into it is gone.
#[derive(Debug)]
pub(crate) struct Pooled {
    memory: Vec<u8>,
    used: usize,
    pool: Pool,
}

impl Pooled {
    /// Shows only the first bytes.
    pub(crate) fn truncate(&mut self, length: usize) {
        self.used = self.used.min(length);
    }
}

impl Deref for Pooled {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.memory[..self.used]
    }
}

impl DerefMut for Pooled {
    fn deref_mut(&mut self) -> &mut [u8] {
        &mut self.memory[..self.used]
    }
}

impl AsRef<[u8]> for Pooled {
    fn as_ref(&self) -> &[u8] {
        self
    }
}

impl Drop for Pooled {
    fn drop(&mut self) {
        let memory = std::mem::take(&mut self.memory);
        self.pool.0.lock().unwrap_or_else(PoisonError::into_inner).push(memory);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_and_fits_again() {
        let pool = Pool::default();
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
    fn a_large_buffer_is_not_spent_on_a_small_need() {
        let pool = Pool::default();
        drop(pool.take(4 << 20));
        assert_eq!(pool.take(1).memory.len(), GRAIN);
        assert_eq!(pool.take(4 << 20).memory.len(), 4 << 20);
    }
}
