//! The commands: each is its arguments, one action, one output.

pub(crate) mod api;
pub(crate) mod auth;
pub(crate) mod clusters;
pub(crate) mod completions;
pub(crate) mod config;
pub(crate) mod contexts;
pub(crate) mod doctor;
pub(crate) mod execute;
#[cfg(feature = "reference")]
pub(crate) mod reference;
pub(crate) mod run;
mod sandbox;
pub(crate) mod source;
pub(crate) mod sql;
pub(crate) mod statements;
pub(crate) mod warehouses;

use serde_json::{Map, Value, json};

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
        Command::Doctor(_) => doctor::run(context).await,
        Command::Config(command) => config::run(command, context).await,
        Command::Auth(command) => auth::run(command, context).await,
        Command::Completions(shell) => completions::run(&shell, context),
        #[cfg(feature = "reference")]
        Command::Reference(options) => reference::run(&options),
        Command::Sandbox(options) => sandbox::serve(options).await,
    }
}

/// The user as the service sent it, and which of the settings led there.
async fn whoami(context: &Context) -> Result {
    let workspace = context.workspace().await?;
    let me = workspace.users().me().await?;
    let config = context.config().await?;
    let settings: Map<String, Value> =
        config.settings().iter().map(|s| (s.name().to_owned(), s.source().to_string().into())).collect();
    let host = workspace.host().as_str();
    if context.output().is_json() {
        let known = json!({
            "host": host,
            "auth_type": config.auth_type(),
            "profile": config.profile(),
            "sources": settings,
        });
        let known = known.to_string();
        // The user is the service's own text, so that nothing of it is lost.
        let user = String::from_utf8_lossy(me.raw());
        return context.output().document(&format!("{{\"user\":{user},{}", &known[1..]));
    }
    let shown = json!({
        "user": me.user_name,
        "name": me.display_name,
        "id": me.id,
        "host": host,
        "auth_type": config.auth_type(),
        "profile": config.profile(),
        "settings": settings.iter().map(|(name, source)| format!("{name} from {}", source.as_str().unwrap_or_default()))
            .collect::<Vec<_>>().join(", "),
    });
    record(context, shown.to_string().as_bytes())
}

/// Prints one answer of the service.
pub(crate) fn record(context: &Context, raw: &[u8]) -> Result {
    context.output().record(&String::from_utf8_lossy(raw))
}
