//! The client that the generated operations are methods of.

use brickwire_wire::{
    Call, Host, HttpOptions, OperationInfo, Result, RetryPolicy, Secret, StaticToken, Wire,
};

/// The operations of the REST API as methods, named `service_verb`.
///
/// A clone is cheap and shares connections and credential.
///
/// ```no_run
/// # async fn example() -> brickwire_client::Result<()> {
/// let client = brickwire_client::Client::new("adb-1.2.azuredatabricks.net", "dapi-example")?;
/// let user = client.users_me(&Default::default()).await?;
/// println!("{:?}", user.user_name);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Client {
    wire: Wire,
}

impl Client {
    /// A client for the workspace at `host`, such as `adb-1.2.azuredatabricks.net`, with a personal access token.
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`](crate::ErrorKind::Configuration) if `host` is not a host or a URL of one, if plain
    /// HTTP would leave this machine, and for a token that is empty or does not fit into a header.
    pub fn new(host: &str, token: impl Into<Secret>) -> Result<Self> {
        let credential = StaticToken::new(token)?;
        let options =
            HttpOptions::new(Host::parse(host)?).with_product("brickwire-client", env!("CARGO_PKG_VERSION"));
        Ok(Wire::builder(options).build()?.with_credential(credential).into())
    }

    /// How requests are sent.
    pub fn wire(&self) -> &Wire {
        &self.wire
    }

    /// The same client with another retry policy.
    #[must_use]
    pub fn with_retry(self, retry: RetryPolicy) -> Self {
        self.wire.with_retry(retry).into()
    }

    /// A call of an operation, for what its method doesn't offer: the raw answer, a streamed body, other options.
    ///
    /// ```no_run
    /// # async fn example(client: brickwire_client::Client) -> brickwire_client::Result<()> {
    /// use brickwire_client::operations;
    /// let answer = client.call(&operations::CLUSTERS_GET).query("cluster_id", &"1-2-x").send_raw().await?;
    /// println!("{}", String::from_utf8_lossy(&answer.body));
    /// # Ok(())
    /// # }
    /// ```
    pub fn call(&self, operation: &OperationInfo) -> Call {
        self.wire.call(operation)
    }
}

impl From<Wire> for Client {
    /// A client that sends through a wire.
    fn from(wire: Wire) -> Self {
        Self { wire }
    }
}
