#![doc = include_str!("../README.md")]
#![allow(clippy::unwrap_used, reason = "a test that can't go on says so")]

mod log;
mod request;
mod response;
mod server;
#[cfg(test)]
mod tests;

pub use self::{
    log::{Gate, Log},
    request::Request,
    response::{End, Response},
    server::{ClosedPort, Server},
};
