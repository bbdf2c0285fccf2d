//! How a sandbox is set up: delays, page sizes, credentials, limits. Everything has a default.

use std::path::PathBuf;
use std::time::Duration;

use crate::{clock::Clock, delays::Delays};

#[derive(Debug, Clone)]
pub(crate) struct Options {
    pub(crate) port: u16,
    pub(crate) token: Option<String>,
    pub(crate) data: Option<PathBuf>,
    pub(crate) delays: Delays,
    pub(crate) page_size: usize,
    pub(crate) chunk_bytes: usize,
    pub(crate) result_bytes: u64,
    pub(crate) token_ttl: Duration,
    pub(crate) link_ttl: Duration,
    pub(crate) link_headers: bool,
    pub(crate) no_exec: bool,
    pub(crate) consent: bool,
    pub(crate) clock: Clock,
    pub(crate) seed: Option<u64>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            port: 0,
            token: None,
            data: None,
            delays: Delays::default(),
            page_size: 20,
            chunk_bytes: 16 * 1024 * 1024,
            result_bytes: 8 << 30,
            token_ttl: Duration::from_secs(3600),
            link_ttl: Duration::from_secs(900),
            link_headers: false,
            no_exec: false,
            consent: true,
            clock: Clock::system(),
            seed: None,
        }
    }
}

/// Sets up a [`Sandbox`](crate::Sandbox); see [`Sandbox::builder`](crate::Sandbox::builder).
#[derive(Debug, Clone, Default)]
pub struct SandboxBuilder {
    pub(crate) options: Options,
    pub(crate) faults: Vec<String>,
}

impl SandboxBuilder {
    /// The port of the API on loopback; 0, the default, takes a free one.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.options.port = port;
        self
    }

    /// The personal access token that [`Sandbox::token`](crate::Sandbox::token) returns, instead of a random one.
    #[must_use]
    pub fn with_token(mut self, token: impl Into<String>) -> Self {
        self.options.token = Some(token.into());
        self
    }

    /// Keeps the first workspace in a directory, which is made if there is none: another sandbox with the same directory
    /// starts with the same credentials, with the same port unless it is taken, and with all that was made before, such
    /// as tables, files, jobs with their runs, secrets and clusters. Execution contexts and the results of statements are
    /// gone; a job's run or a pipeline's update that was active has failed. Without a directory, all is in memory and in a
    /// temporary directory.
    ///
    /// Changes are on disk about half a second later, and when the sandbox ends; see also
    /// [`Sandbox::save`](crate::Sandbox::save). One sandbox at a time can use a directory. It holds tokens and secrets as
    /// plain text, so only its owner may read it.
    #[must_use]
    pub fn with_data(mut self, directory: impl Into<PathBuf>) -> Self {
        self.options.data = Some(directory.into());
        self
    }

    /// How long resources stay in passing states (200 ms).
    #[must_use]
    pub fn with_delays(mut self, delays: Delays) -> Self {
        self.options.delays = delays;
        self
    }

    /// Entries per page of a list when the request doesn't say (20).
    #[must_use]
    pub fn with_page_size(mut self, entries: usize) -> Self {
        self.options.page_size = entries.max(1);
        self
    }

    /// About how many bytes of a result make a chunk (16 MiB).
    #[must_use]
    pub fn with_chunk_bytes(mut self, bytes: usize) -> Self {
        self.options.chunk_bytes = bytes.max(1);
        self
    }

    /// What all results may take on disk (8 GiB). When there is no more room, the oldest are closed.
    #[must_use]
    pub fn with_result_bytes(mut self, bytes: u64) -> Self {
        self.options.result_bytes = bytes;
        self
    }

    /// How long a token of the token endpoint lives (one hour).
    #[must_use]
    pub fn with_token_ttl(mut self, lifetime: Duration) -> Self {
        self.options.token_ttl = lifetime;
        self
    }

    /// How long a link to a result chunk lives (15 minutes).
    #[must_use]
    pub fn with_link_ttl(mut self, lifetime: Duration) -> Self {
        self.options.link_ttl = lifetime;
        self
    }

    /// Hands out `http_headers` with links, and refuses to serve without them.
    #[must_use]
    pub fn with_link_headers(mut self) -> Self {
        self.options.link_headers = true;
        self
    }

    /// Runs no Python: contexts of that language end in `Error`.
    #[must_use]
    pub fn without_code_execution(mut self) -> Self {
        self.options.no_exec = true;
        self
    }

    /// The user denies every login in the browser: `access_denied`.
    #[must_use]
    pub fn without_consent(mut self) -> Self {
        self.options.consent = false;
        self
    }

    /// The clock that delays and expiries follow.
    #[must_use]
    pub fn with_clock(mut self, clock: Clock) -> Self {
        self.options.clock = clock;
        self
    }

    /// Makes ids and chances of faults the same in each run. Secrets are never made of the seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.options.seed = Some(seed);
        self
    }

    /// A fault to inject from the start, for every token; see [`Sandbox::fault`](crate::Sandbox::fault).
    #[must_use]
    pub fn with_fault(mut self, rule: impl Into<String>) -> Self {
        self.faults.push(rule.into());
        self
    }
}
