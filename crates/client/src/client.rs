//! The client that the generated operations hang on: where to send, and by what.

use std::sync::Arc;

use crate::runtime::Transport;

/// The operations of the REST API as methods, named `service_verb`.
///
/// A clone is cheap and shares the transport.
#[derive(Clone, Debug)]
pub struct Client {
    base_url: Arc<str>,
    transport: Arc<dyn Transport>,
}

impl Client {
    /// A client that sends by `transport` to `base_url`, as in `https://example.cloud.databricks.com`.
    ///
    /// The URL is not checked here: a malformed one fails each call with [`InvalidRequest`].
    ///
    /// [`InvalidRequest`]: crate::Error::InvalidRequest
    pub fn with_transport(base_url: impl Into<String>, transport: Arc<dyn Transport>) -> Self {
        let base_url = base_url.into();
        Self { base_url: base_url.trim_end_matches('/').into(), transport }
    }

    /// Where the requests go, without a slash at the end.
    pub fn base_url(&self) -> &str {
        &self.base_url
    }

    /// What sends the requests.
    pub fn transport(&self) -> &Arc<dyn Transport> {
        &self.transport
    }
}
