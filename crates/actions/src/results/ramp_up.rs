//! How many connections to the object store are open at a time.
//!
//! Fetching starts with a few. If no byte has arrived at the first look, the store is far away, and all that are
//! allowed are opened at once. Otherwise the number is doubled as long as the last doubling made the download at
//! least a fifth faster, up to a rate at which the machine is the bottleneck.

use std::time::Duration;

use super::options::FetchOptions;

/// The interval between looks at the number of bytes.
pub(super) const TICK: Duration = Duration::from_millis(5);

/// The number of connections that may be open now, which only grows.
pub(super) struct RampUp {
    connections: usize,
    most: usize,
    looks: u32,
    /// How many bytes had arrived at the last decision.
    bytes: u64,
    /// How many bytes arrived between the two decisions before the last doubling.
    bytes_before_doubling: u64,
}

/// How many looks make a decision. 10 · 5 ms is enough for new connections to deliver bytes.
const LOOKS: u32 = 10;

/// One connection that delivers this many bytes between decisions is as fast as a store gets: 128 MB/s · 50 ms = 6.4
/// MB.
const FAST: u64 = 128_000_000 / 1000 * TICK.as_millis() as u64 * LOOKS as u64;

impl RampUp {
    /// Starts with the lower number. No more connections than there are chunks are ever of use.
    pub(super) fn new(options: &FetchOptions, chunks: u64) -> Self {
        let chunks = usize::try_from(chunks).unwrap_or(usize::MAX).max(1);
        Self {
            connections: options.first_connections.min(chunks),
            most: options.most_connections.min(chunks),
            looks: 0,
            bytes: 0,
            bytes_before_doubling: 0,
        }
    }

    /// How many connections may be open now.
    pub(super) fn connections(&self) -> usize {
        self.connections
    }

    /// How many connections may ever be open.
    pub(super) fn most(&self) -> usize {
        self.most
    }

    pub(super) fn may_grow(&self) -> bool {
        self.connections < self.most
    }

    /// Looks at how many bytes have arrived so far; to be called at each [`TICK`] while all connections are in use.
    pub(super) fn look(&mut self, bytes: u64) {
        self.looks = self.looks.wrapping_add(1);
        if self.looks == 1 && bytes == 0 {
            self.connections = self.most;
        }
        if !self.looks.is_multiple_of(LOOKS) {
            return;
        }
        let arrived = bytes.saturating_sub(self.bytes);
        self.bytes = bytes;
        let doubling_helped = arrived >= self.bytes_before_doubling + self.bytes_before_doubling / 5;
        if doubling_helped && arrived / FAST < self.connections as u64 {
            self.connections = self.connections.saturating_mul(2).min(self.most);
            self.bytes_before_doubling = arrived;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connections(bytes_per_look: &[u64]) -> usize {
        let mut ramp_up = RampUp::new(&FetchOptions::default().with_connections(2..=32), 1000);
        let mut bytes = 0;
        for more in bytes_per_look {
            bytes += more;
            ramp_up.look(bytes);
        }
        ramp_up.connections()
    }

    #[test]
    fn a_far_store_gets_all_connections_at_once_and_a_near_one_gets_no_more() {
        assert_eq!(connections(&[0]), 32);
        assert_eq!(connections(&[FAST / 5; 30]), 2);
        assert_eq!(connections(&[100; 9]), 2);
        assert_eq!(connections(&[100; 10]), 4);
    }

    #[test]
    fn doubling_stops_when_it_does_not_help() {
        assert_eq!(connections(&[1000; 100]), 4);
        let doubling: Vec<u64> = (0..40).map(|i| 1000 << (i / 10)).collect();
        assert_eq!(connections(&doubling), 32);
    }

    #[test]
    fn there_are_never_more_than_chunks() {
        for (range, chunks, expected) in
            [(2..=16, 1, 1), (2..=16, 0, 1), (1..=usize::MAX, 1_000_000, 1_000_000), (8..=8, 100, 8)]
        {
            let mut ramp_up = RampUp::new(&FetchOptions::default().with_connections(range), chunks);
            ramp_up.look(0);
            assert_eq!(ramp_up.connections(), expected);
        }
    }
}
