//! Where to connect, and as whom: configuration, credentials, and the tokens that they are exchanged for.

pub(crate) mod auth;
pub(crate) mod authenticator;
pub(crate) mod config;
#[cfg(test)]
mod conformance;
pub(crate) mod connection;
pub(crate) mod environment;
pub(crate) mod login;
