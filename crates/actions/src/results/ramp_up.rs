//! How many connections: a few for a store that is near, where the machine is the limit; all there may be for one whose
//! first byte takes its time. In between they are doubled as long as the last doubling brought at least a fifth more.

use std::time::Duration;

use super::reader::FetchOptions;

/// How often it is looked whether more connections would bring more.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// How many connections there may be now.
pub(super) struct Growth {
    pub(super) limit: usize,
    most: usize,
    looks: u32,
    /// Bytes at the last growth, or at the last time that it was considered.
    seen: u64,
    rate_before_growth: u64,
}

/// Looks from one growth to the next, so that new connections have begun to bring something.
const PATIENCE: u32 = 10;
/// Bytes of one connection in that time: 128 MB/s is more than a store gives.
const PLENTY: u64 = 128_000_000 / 1000 * TICK.as_millis() as u64 * PATIENCE as u64;

impl Growth {
    pub(super) fn new(options: FetchOptions) -> Self {
        Self {
            limit: options.connections,
            most: options.most_connections,
            looks: 0,
            seen: 0,
            rate_before_growth: 0,
        }
    }

    pub(super) fn may_grow(&self) -> bool {
        self.limit < self.most
    }

    /// Looks at the bytes received so far.
    pub(super) fn look(&mut self, bytes: u64) {
        self.looks += 1;
        if self.looks == 1 && bytes == 0 {
            self.limit = self.most;
        }
        if !self.looks.is_multiple_of(PATIENCE) {
            return;
        }
        let rate = bytes - self.seen;
        self.seen = bytes;
        let helped = rate >= self.rate_before_growth + self.rate_before_growth / 5;
        if helped && rate < PLENTY * self.limit as u64 {
            self.limit = (self.limit * 2).min(self.most);
            self.rate_before_growth = rate;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(per_look: &[u64]) -> usize {
        let mut growth = Growth::new(FetchOptions::default().with_connections(2, 32));
        let mut bytes = 0;
        for more in per_look {
            bytes += more;
            growth.look(bytes);
        }
        growth.limit
    }

    #[test]
    fn a_far_store_gets_more_connections_at_once_and_a_near_one_none() {
        assert_eq!(grown(&[0]), 32);
        assert_eq!(grown(&[PLENTY / 5; 30]), 2);
        assert_eq!(grown(&[100; 9]), 2);
        assert_eq!(grown(&[100; 10]), 4);
    }

    #[test]
    fn they_stop_growing_when_that_brings_nothing() {
        assert_eq!(grown(&[1000; 100]), 4);
        let doubling: Vec<u64> = (0..40).map(|i| 1000 << (i / 10)).collect();
        assert_eq!(grown(&doubling), 32);
    }
}
