//! `brick whoami`: the current user, and the settings that lead to this connection.

use serde_json::{Map, Value, json};

use crate::{context::Context, failure::Result};

/// Show the current user and the connection in use
#[derive(Debug, clap::Args)]
#[command(after_help = "Example:\n  brick whoami -o json")]
pub(crate) struct Command {}

/// What a table shows of the user. All else may be of any kind and depth.
#[derive(serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Shown {
    user_name: Option<Value>,
    display_name: Option<Value>,
    id: Option<Value>,
}

pub(crate) async fn run(_: Command, context: &Context) -> Result {
    let workspace = context.workspace().await?;
    let me = workspace.users().me_json().await?;
    let config = context.config().await?;
    let settings: Map<String, Value> =
        config.settings().iter().map(|s| (s.name().to_owned(), s.source().to_string().into())).collect();
    let host = workspace.host().as_str();
    if context.output().is_json() {
        let (auth_type, profile) = (config.auth_type(), config.profile());
        let known = json!({ "host": host, "auth_type": auth_type, "profile": profile, "sources": settings });
        let known = known.to_string();
        // The user is the service's own JSON, so that no field is lost.
        return context.output().document(&format!("{{\"user\":{me},{}", &known[1..]));
    }
    let me: Shown = serde_json::from_str(me.get())?;
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
    context.record(shown.to_string().as_bytes())
}
