//! The commands: each is its arguments, one action, one output.

pub(crate) mod api;
pub(crate) mod clusters;
pub(crate) mod contexts;
pub(crate) mod execute;
pub(crate) mod run;
mod sandbox;
pub(crate) mod source;
pub(crate) mod sql;
pub(crate) mod statements;
pub(crate) mod warehouses;

use crate::{args::Command, context::Context, report::Failure};

/// How a command ends.
pub(crate) type Result<T = ()> = std::result::Result<T, Failure>;

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::Run(code) => run::run(code, context).await,
        Command::Sql(sql) => sql::run(sql, context).await,
        Command::Statements(command) => statements::run(command, context).await,
        Command::Clusters(command) => clusters::run(command, context).await,
        Command::Warehouses(command) => warehouses::run(command, context).await,
        Command::Contexts(command) => contexts::run(command, context).await,
        Command::Commands(command) => execute::run(command, context).await,
        Command::Whoami => whoami(context).await,
        Command::Api(request) => api::run(request, context).await,
        Command::Sandbox(options) => sandbox::serve(options).await,
    }
}

async fn whoami(context: &Context) -> Result {
    let me = context.workspace().await?.users().me().await?;
    record(context, me.raw())
}

/// Prints one answer of the service.
pub(crate) fn record(context: &Context, raw: &[u8]) -> Result {
    Ok(context.output().record(&String::from_utf8_lossy(raw))?)
}
