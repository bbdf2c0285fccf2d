//! How many connections: doubled as long as the last doubling brought at least a fifth more, unless each brings so
//! much that the machine and not the network is the limit.

use std::time::Duration;

use super::FetchOptions;

/// How often it is looked whether more connections would bring more.
pub(super) const TICK: Duration = Duration::from_millis(20);

/// How many connections there may be now.
pub(super) struct Growth {
    pub(super) limit: usize,
    most: usize,
    /// Bytes and their rate at the last look.
    seen: u64,
    rate: u64,
    looks: u32,
    rate_before_growth: u64,
}

/// Bytes per tick of one connection: 128 MB/s is more than a store gives.
const PLENTY: u64 = 128_000_000 / 50;
/// Looks between two growths, so that new connections have begun to bring something.
const PATIENCE: u32 = 10;

impl Growth {
    pub(super) fn new(options: FetchOptions) -> Self {
        Self {
            limit: options.connections,
            most: options.most_connections,
            seen: 0,
            rate: 0,
            looks: 0,
            rate_before_growth: 0,
        }
    }

    pub(super) fn may_grow(&self) -> bool {
        self.limit < self.most
    }

    /// Looks at the bytes received so far.
    pub(super) fn look(&mut self, bytes: u64) {
        self.rate = self.rate.max(bytes - self.seen);
        self.seen = bytes;
        self.looks += 1;
        let first = self.looks == 1 && self.rate == 0;
        if !first && !self.looks.is_multiple_of(PATIENCE) {
            return;
        }
        let helped = self.rate >= self.rate_before_growth + self.rate_before_growth / 5;
        if helped && self.rate < PLENTY * self.limit as u64 {
            self.limit = (self.limit * 2).min(self.most);
            self.rate_before_growth = self.rate;
        }
        self.rate = 0;
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
        assert_eq!(grown(&[0]), 4);
        assert_eq!(grown(&[PLENTY * 2; 30]), 2);
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
