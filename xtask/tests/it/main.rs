//! Runs the real program on a toy description that has the nasty cases.

mod codegen;
mod lint;
mod toy;
