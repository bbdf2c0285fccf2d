//! The kinds of credential that fetch tokens, one file each, and what they share.
//!
//! A source reaches the network only through a [`Wire`](brickwire_wire::Wire) that carries no credential, reads files
//! only where its documentation says so, and runs other programs only through [`program`].

pub(crate) mod azure;
pub(crate) mod azure_cli;
pub(crate) mod browser;
pub(crate) mod cache;
pub(crate) mod callback;
pub(crate) mod client_credentials;
pub(crate) mod databricks_cli;
pub(crate) mod default_chain;
pub(crate) mod discovery;
pub(crate) mod jwt;
mod peer;
pub(crate) mod program;
pub(crate) mod token;
pub(crate) mod token_exchange;
pub(crate) mod token_request;
pub(crate) mod token_store;
