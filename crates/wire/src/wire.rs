//! What the calls to one host share: the HTTP client, the credential, the limiter, the filter for secrets, and settings.

use std::{
    fmt,
    sync::{Arc, OnceLock},
};

use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::{
    Credential, Error, Events, Exchange, Host, HttpOptions, RateLimit, Result, RetryPolicy, limiter::Limiter,
    redact::Filter,
};

/// The way to one host. A clone is cheap and shares connections, credential, limiter and filter.
///
/// ```
/// use brickwire_wire::{Host, HttpOptions, StaticToken, Wire};
/// # fn example() -> brickwire_wire::Result<()> {
/// let host = Host::parse("https://adb-1.2.azuredatabricks.net")?;
/// let wire = Wire::builder(HttpOptions::new(host)).build()?.with_credential(StaticToken::new("dapi-example")?);
/// assert_eq!(wire.host().as_str(), "https://adb-1.2.azuredatabricks.net");
/// # Ok(())
/// # }
/// # example().unwrap();
/// ```
#[derive(Clone)]
pub struct Wire {
    shared: Arc<Shared>,
    credential: Option<Arc<dyn Credential>>,
    settings: Settings,
}

struct Shared {
    options: HttpOptions,
    http: Arc<dyn Exchange>,
    /// For presigned links; made when the first is used.
    store: OnceLock<Arc<dyn Exchange>>,
    /// For what takes longer than a minute of silence; made when the first call is.
    patient: OnceLock<Arc<dyn Exchange>>,
    limiter: Limiter,
    filter: Filter,
}

/// What can differ between calls that share everything else.
#[derive(Clone, Default)]
pub(crate) struct Settings {
    pub(crate) retry: RetryPolicy,
    pub(crate) events: Events,
    pub(crate) debug: bool,
    pub(crate) deadline: Option<Instant>,
    pub(crate) cancel: Option<CancellationToken>,
    pub(crate) read_only: bool,
}

/// Options for a [`Wire`].
#[derive(Debug)]
#[must_use]
pub struct WireBuilder {
    options: HttpOptions,
    exchange: Option<Arc<dyn Exchange>>,
    rate_limit: RateLimit,
}

impl WireBuilder {
    /// Sends nothing over the network: this answers instead.
    pub fn with_exchange(mut self, exchange: Arc<dyn Exchange>) -> Self {
        self.exchange = Some(exchange);
        self
    }

    /// How many requests go to the host; 15 a second after a burst of 300 by default.
    pub fn with_rate_limit(mut self, rate_limit: RateLimit) -> Self {
        self.rate_limit = rate_limit;
        self
    }

    /// Makes the wire. Nothing is sent yet.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if TLS can't be set up on this machine.
    pub fn build(self) -> Result<Wire> {
        let Self { options, exchange, rate_limit } = self;
        let (store, patient) = (OnceLock::new(), OnceLock::new());
        let http = match exchange {
            Some(exchange) => {
                let _ = (store.set(exchange.clone()), patient.set(exchange.clone()));
                exchange
            }
            None => Arc::new(options.api_client()?),
        };
        let limiter = Limiter::new(rate_limit);
        let shared = Shared { options, http, store, patient, limiter, filter: Filter::default() };
        Ok(Wire { shared: Arc::new(shared), credential: None, settings: Settings::default() })
    }
}

impl Wire {
    /// Begins to make a wire.
    pub fn builder(options: HttpOptions) -> WireBuilder {
        WireBuilder { options, exchange: None, rate_limit: RateLimit::default() }
    }

    /// The same wire with a credential.
    #[must_use]
    pub fn with_credential(mut self, credential: impl Credential + 'static) -> Self {
        self.credential = Some(Arc::new(credential));
        self
    }

    /// The same wire with another retry policy; by default what is safe is repeated for up to five minutes.
    #[must_use]
    pub fn with_retry(mut self, retry: RetryPolicy) -> Self {
        self.settings.retry = retry;
        self
    }

    /// The same wire with a listener for events.
    #[must_use]
    pub fn with_events(mut self, events: Events) -> Self {
        self.settings.events = events;
        self
    }

    /// The same wire with a log of each request and response through `tracing` (target `brickwire::debug`), secrets
    /// masked.
    #[must_use]
    pub fn with_debug(mut self, debug: bool) -> Self {
        self.settings.debug = debug;
        self
    }

    /// The same wire with a deadline for all calls, with their attempts, waits and bodies. An earlier one stays.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Instant) -> Self {
        self.settings.deadline =
            Some(self.settings.deadline.map_or(deadline, |earlier| earlier.min(deadline)));
        self
    }

    /// The same wire without a deadline.
    #[must_use]
    pub fn without_deadline(mut self) -> Self {
        self.settings.deadline = None;
        self
    }

    /// The same wire, whose calls send nothing more once the token is canceled. An attempt under way
    /// is completed.
    #[must_use]
    pub fn with_cancel(mut self, cancel: CancellationToken) -> Self {
        self.settings.cancel = Some(cancel);
        self
    }

    /// The same wire, which refuses to send what may change something: every call but a GET, a HEAD, and an operation
    /// that the API description says only reads. Nothing undoes this.
    #[must_use]
    pub fn with_read_only(mut self) -> Self {
        self.settings.read_only = true;
        self
    }

    /// Whether it refuses what may change something.
    pub fn is_read_only(&self) -> bool {
        self.settings.read_only
    }

    /// Where it leads.
    pub fn host(&self) -> &Host {
        self.shared.options.host()
    }

    /// What the HTTP client was made from.
    pub fn http_options(&self) -> &HttpOptions {
        &self.shared.options
    }

    /// The listener for retries and changes of state.
    pub fn events(&self) -> &Events {
        &self.settings.events
    }

    /// The credential.
    pub fn credential(&self) -> Option<&Arc<dyn Credential>> {
        self.credential.as_ref()
    }

    /// The deadline of all calls.
    pub fn deadline(&self) -> Option<Instant> {
        self.settings.deadline
    }

    /// Keeps the credentials in use out of texts.
    pub fn filter(&self) -> &Filter {
        &self.shared.filter
    }

    /// Sets up the HTTP client for presigned links ahead of the first one.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if TLS can't be set up on this machine.
    pub fn prepare_store(&self) -> Result<()> {
        self.store().map(drop)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn http(&self) -> &dyn Exchange {
        &*self.shared.http
    }

    pub(crate) fn store(&self) -> Result<&dyn Exchange, Error> {
        if let Some(client) = self.shared.store.get() {
            return Ok(&**client);
        }
        let client = Arc::new(self.shared.options.store_client()?);
        Ok(&**self.shared.store.get_or_init(|| client))
    }

    pub(crate) fn patient(&self) -> Result<&dyn Exchange, Error> {
        if let Some(client) = self.shared.patient.get() {
            return Ok(&**client);
        }
        let client = Arc::new(self.shared.options.patient_client()?);
        Ok(&**self.shared.patient.get_or_init(|| client))
    }

    pub(crate) fn limiter(&self) -> &Limiter {
        &self.shared.limiter
    }
}

impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("host", self.host())
            .field("credential", &self.credential)
            .finish_non_exhaustive()
    }
}
