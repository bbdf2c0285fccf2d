//! A login with a browser: on this machine, or on another one with the address pasted back.

use std::{
    future::pending,
    io::{self, IsTerminal},
    time::Duration,
};

use brickwire_actions::{BrowserLogin, Config, ConfigBuilder, Environment, ErrorKind, Host, Profile};

use super::browser;
use crate::{
    ask,
    context::Context,
    failure::{Failure, Result},
    terminal,
};

/// The profile that is used if none is named.
const DEFAULT: &str = "DEFAULT";

pub(super) async fn run(
    sources: &ConfigBuilder,
    no_browser: bool,
    save: Option<&str>,
    within: Duration,
    context: &Context,
) -> Result {
    if !no_browser {
        check_terminal()?;
    }
    // The line that shows progress would be in the way of the questions.
    context.progress().clear();
    let given = sources.read()?;
    let profile = match (save, given.host()) {
        (Some(name), Some(host)) => Some(profile_of(name, host, &given)),
        _ => None,
    };
    // With a profile, the login is stored under its name.
    let config = match &profile {
        Some(profile) => sources.preview_profile(profile)?,
        None => given,
    };
    log_in(&config, no_browser, within, context).await?;
    context.note(&format!("logged in to {}", shown(&config)));
    if let Some(profile) = &profile {
        return keep(sources, profile, context);
    }
    // Read again, now that there is a login.
    let config = sources.read()?;
    match config.auth_type() {
        Some("external-browser") => offer_profile(sources, &config, context).await?,
        Some(other) => context.note(&format!(
            "warning: {other} is configured too and takes precedence; to use the login, set \
             DATABRICKS_AUTH_TYPE=external-browser (auth_type), or remove the other credential"
        )),
        None => context.note("warning: other credentials are configured too: see `brick config show`"),
    }
    Ok(())
}

/// Refuses to wait for a browser in a place without a person, such as a CI job.
pub(crate) fn check_terminal() -> Result {
    if io::stdin().is_terminal() || io::stderr().is_terminal() {
        return Ok(());
    }
    Err(Failure::usage("a login with a browser needs a terminal").with_hint(
        "in CI, set DATABRICKS_CLIENT_ID and DATABRICKS_CLIENT_SECRET, or DATABRICKS_TOKEN; where a browser on this \
         machine can be used, add --no-browser to print the page",
    ))
}

/// Logs in to the host of a configuration.
pub(crate) async fn log_in(config: &Config, no_browser: bool, within: Duration, context: &Context) -> Result {
    let login = BrowserLogin::start(config).await?;
    let has_browser = !no_browser && browser::is_available(&Environment::from_process());
    if has_browser && browser::open(login.address()) {
        context.note(&format!("opened {} in a browser; waiting for the login", login.address()));
        return Ok(login.wait(within).await?);
    }
    // Even with --quiet, because the login needs it.
    terminal::tell(&format!("open this page in a browser on any machine, and log in:\n  {}", login.page()));
    let pasted = async {
        match ask::is_possible() {
            true => paste(&login).await,
            false => pending().await,
        }
    };
    tokio::select! {
        done = pasted => done,
        done = login.wait(within) => {
            if ask::is_possible() {
                ask::end_line();
            }
            done.map_err(|error| match error.kind() {
                ErrorKind::DeadlineExceeded => Failure::from(error)
                    .with_hint("run the command again, or allow more time with --timeout"),
                _ => error.into(),
            })
        }
    }
}

/// Asks for the address that the browser was sent to until it is the right one.
async fn paste(login: &BrowserLogin) -> Result {
    loop {
        let question = "paste the address you were sent to (it need not load): ";
        // Without more input, the browser may still come back itself.
        let Ok(address) = ask::line(question).await else { return pending().await };
        if address.is_empty() {
            continue;
        }
        match login.finish(&address).await {
            Err(error) if error.kind() == ErrorKind::Usage => {
                terminal::tell(&format!("{error}; {}", error.hint().unwrap_or_default()));
            }
            done => return Ok(done?),
        }
    }
}

/// A profile with the host of this configuration, and what else names the place.
fn profile_of(name: &str, host: &Host, config: &Config) -> Profile {
    let ids = [("workspace_id", config.workspace_id()), ("account_id", config.account_id())];
    let profile = Profile::new(name).with("host", host.as_str()).with_login();
    ids.into_iter()
        .filter_map(|(id, value)| Some((id, value?)))
        .fold(profile, |p, (id, value)| p.with(id, value))
}

fn keep(sources: &ConfigBuilder, profile: &Profile, context: &Context) -> Result {
    let file = sources.save_profile(profile)?;
    let name = profile.name();
    context.note(&format!("saved profile {name} in {}; try: brick whoami -p {name}", file.display()));
    Ok(())
}

/// Offers to save the login as a profile, unless a profile has its host.
async fn offer_profile(sources: &ConfigBuilder, config: &Config, context: &Context) -> Result {
    let (Some(host), true) = (config.host(), ask::is_possible()) else { return Ok(()) };
    let profiles = sources.profiles()?;
    if config.profile().is_some()
        || profiles.iter().any(|profile| profile.host.as_deref() == Some(host.as_str()))
    {
        return Ok(());
    }
    let is_free = |name: &str| profiles.iter().all(|profile| profile.name != name);
    let short =
        host.as_str().split("://").nth(1).and_then(|rest| rest.split(['.', ':']).next()).unwrap_or(DEFAULT);
    let Some(name) = [DEFAULT, short].into_iter().find(|name| is_free(name)) else { return Ok(()) };
    if ask::yes(&format!("Save as profile {name}?"), true).await? {
        keep(sources, &profile_of(name, host, config), context)?;
        config.move_login(name).await?;
    }
    Ok(())
}

fn shown(config: &Config) -> String {
    config.host().map(ToString::to_string).unwrap_or_default()
}
