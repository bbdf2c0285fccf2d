//! `brick auth status`: whether the service accepts the credential, and whose it is.

use std::time::SystemTime;

use brickwire_actions::{Config, ErrorKind};
use serde_json::{Map, Value, json};

use crate::{
    context::Context,
    failure::{Failure, Result},
};

pub(super) async fn run(config: &Config, context: &Context) -> Result {
    let Some(host) = config.host() else { return context.connect(config).map(drop) };
    config.check()?;
    if config.auth_type().is_none() {
        let login = format!("brick auth login --host {host}");
        return Err(Failure::new(ErrorKind::Unauthenticated, format!("not logged in to {host}"))
            .with_hint(format!("run `{login}`"))
            .with_next(login));
    }
    let workspace = context.connect(config)?;
    let token = workspace.access_token().await?;
    let expiry = token.expires_in.map(|left| SystemTime::now() + left);
    let expiry = expiry.map(|at| humantime::format_rfc3339_seconds(at).to_string());
    let me: Value = serde_json::from_str(workspace.users().me_json().await?.get())?;
    let sources: Map<String, Value> =
        config.settings().iter().map(|s| (s.name().to_owned(), s.source().to_string().into())).collect();
    let mut status = json!({
        "host": host.as_str(),
        "user": me["userName"],
        "auth_type": config.auth_type(),
        "profile": config.profile(),
        "expiry": expiry,
    });
    if context.output().is_json() {
        status["sources"] = sources.into();
    } else {
        for (name, source) in sources {
            status[format!("source of {name}")] = source;
        }
    }
    context.record(status.to_string().as_bytes())
}
