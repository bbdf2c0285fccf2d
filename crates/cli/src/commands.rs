//! The commands: each is its arguments, one action, one output. A new one is a file and its line in the list.

mod api;
mod auth;
mod clusters;
#[allow(clippy::module_inception, reason = "the service's own name")]
mod commands;
mod completions;
mod config;
mod contexts;
mod doctor;
mod run;
mod sandbox;
mod sql;
mod statements;
mod warehouses;
mod whoami;

use crate::{context::Context, failure::Result};

/// Makes the list of all commands, in the order of the help, and the way to each. A module has a type `Command`, which
/// are its arguments or its subcommands, and a function `run`.
macro_rules! commands {
    ($($(#[$attribute:meta])* $name:ident,)*) => {
        #[derive(Debug, clap::Subcommand)]
        #[allow(non_camel_case_types, reason = "a variant has the name of its module, which is the command's")]
        pub(crate) enum Command {
            $($(#[$attribute])* $name($name::Command),)*
        }

        /// Runs a command to its end.
        pub(crate) async fn run(command: Command, context: &Context) -> Result {
            match command {
                $(Command::$name(command) => $name::run(command, context).await,)*
            }
        }
    };
}

commands! {
    sql,
    run,
    #[command(subcommand)]
    statements,
    #[command(subcommand)]
    clusters,
    #[command(subcommand)]
    warehouses,
    #[command(subcommand)]
    contexts,
    #[command(subcommand)]
    commands,
    whoami,
    api,
    doctor,
    #[command(subcommand)]
    config,
    #[command(subcommand)]
    auth,
    completions,
    sandbox,
}
