//! How a result is fetched, as the caller sets it.

use std::{ops::RangeInclusive, time::Duration};

use crate::{Error, Result};

/// How the chunks of a result are fetched. The defaults suit most networks and machines.
///
/// ```
/// use std::time::Duration;
///
/// use brickwire_actions::FetchOptions;
///
/// let options = FetchOptions::default()
///     .with_connections(4..=32)
///     .with_memory(64 << 20)
///     .with_stall_timeout(Duration::from_secs(10));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FetchOptions {
    pub(super) first_connections: usize,
    pub(super) most_connections: usize,
    pub(super) memory: u64,
    pub(super) stall_timeout: Duration,
    pub(super) tries: u32,
}

impl Default for FetchOptions {
    fn default() -> Self {
        Self {
            first_connections: 2,
            most_connections: 16,
            // 36 segments of 4 MiB: two for each of 16 downloads, and some that are being decoded.
            memory: 144 << 20,
            stall_timeout: Duration::from_secs(30),
            tries: 10,
        }
    }
}

impl FetchOptions {
    /// Sets how many chunks are downloaded at a time; `2..=16` by default. Fetching starts with the lower number and
    /// goes up to the higher one as long as more connections make it faster.
    #[must_use]
    pub fn with_connections(mut self, connections: RangeInclusive<usize>) -> Self {
        (self.first_connections, self.most_connections) = connections.into_inner();
        self
    }

    /// Sets how many bytes of the result may wait for the reader, downloaded or decoded; 144 MiB by default. The
    /// chunk that is being read is never held back, so fetching may use more than a very low limit.
    #[must_use]
    pub fn with_memory(mut self, bytes: u64) -> Self {
        self.memory = bytes;
        self
    }

    /// Sets after how long without a byte a download is interrupted and resumed where it stopped; 30 seconds by
    /// default. The total duration of a download is not limited.
    #[must_use]
    pub fn with_stall_timeout(mut self, timeout: Duration) -> Self {
        self.stall_timeout = timeout;
        self
    }

    /// Sets how many attempts in a row may bring no byte before the download of a chunk fails; 10 by default.
    #[must_use]
    pub fn with_tries(mut self, tries: u32) -> Self {
        self.tries = tries;
        self
    }

    /// Checks the options. Nothing is sent if they are wrong.
    ///
    /// # Errors
    /// [`ErrorKind::Usage`](crate::ErrorKind::Usage) for an empty range of connections, and for zero connections,
    /// tries or time.
    pub(crate) fn validate(&self) -> Result<()> {
        let (first, most) = (self.first_connections, self.most_connections);
        if first == 0 || first > most {
            return Err(Error::usage(format!("not a range of connections: {first}..={most}"))
                .with_hint("start with at least one connection, and allow at least as many as that"));
        }
        if self.tries == 0 {
            return Err(Error::usage("the number of tries must be greater than zero"));
        }
        if self.stall_timeout.is_zero() {
            return Err(Error::usage("the stall timeout must be greater than zero"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_that_cannot_work_are_refused() {
        let options = FetchOptions::default();
        assert!(options.validate().is_ok());
        assert!(options.with_connections(1..=1).with_memory(0).validate().is_ok());
        #[allow(clippy::reversed_empty_ranges, reason = "this is what a caller may get wrong")]
        let reversed = 3..=2;
        for wrong in [
            options.with_connections(0..=4),
            options.with_connections(reversed),
            options.with_tries(0),
            options.with_stall_timeout(Duration::ZERO),
        ] {
            assert_eq!(wrong.validate().unwrap_err().kind(), crate::ErrorKind::Usage, "{wrong:?}");
        }
    }
}
