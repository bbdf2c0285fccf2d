//! Runs the real program on a toy description that has the nasty cases.

#![allow(clippy::unwrap_used, reason = "a test that cannot set up has failed")]

mod codegen;
mod coverage;
mod drift;
mod lint;
mod toy;
