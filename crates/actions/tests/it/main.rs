//! The crate from outside, over real sockets on loopback.

mod authentication;
mod browser_login;
mod provider;
