//! The sandbox from outside: raw HTTP in, raw JSON out.

mod client;
mod clusters;
mod contexts;
mod control;
mod errors;
mod faults;
mod identity;
mod links;
mod statements;
mod warehouses;
