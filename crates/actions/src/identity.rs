//! Who asks, and where: the environment, profiles, kinds of credential, and the tokens that they turn into.

pub(crate) mod auth;
pub(crate) mod config;
pub(crate) mod connection;
