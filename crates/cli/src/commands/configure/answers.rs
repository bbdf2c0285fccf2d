//! What `brick configure` needs to know: from options, from the profile that exists already, or from a person.

use brickwire_actions::{Candidate, Environment, Host, Named, ProfileView, Secret};

use super::login;
use crate::{
    ask,
    failure::{Failure, Result},
    terminal,
};

/// The profile that is used if none is named.
const DEFAULT: &str = "DEFAULT";

/// How many resources a question lists. Others can be named.
const LISTED: usize = 20;

/// The credential of the profile.
pub(super) enum Credential {
    Token(Secret),
    /// Application ID and OAuth secret.
    Principal(String, Secret),
    /// A login with a browser.
    Login,
    /// The one that the profile has.
    Kept,
}

/// The name of the profile.
pub(super) async fn name(given: Option<&str>, profiles: &[ProfileView]) -> Result<String> {
    let environment = Environment::from_process();
    let default = environment.get("DATABRICKS_CONFIG_PROFILE").unwrap_or(DEFAULT);
    match given {
        Some(given) => Ok(given.to_owned()),
        // The first profile needs no name of its own.
        None if ask::is_possible() && !profiles.is_empty() => {
            ask::line_or("Profile name", Some(default)).await
        }
        None => Ok(default.to_owned()),
    }
}

/// The address of the workspace.
pub(super) async fn host(given: Option<&str>, current: Option<&ProfileView>) -> Result<String> {
    if let Some(given) = given {
        return Ok(Host::parse(given).map(|_| given.to_owned())?);
    }
    let environment = Environment::from_process();
    let known = current.and_then(|profile| profile.host.as_deref()).or(environment.get("DATABRICKS_HOST"));
    if !ask::is_possible() {
        return known
            .map(str::to_owned)
            .ok_or_else(|| missing("no workspace given", "add --host with the URL of the workspace"));
    }
    loop {
        let answer = ask::line_or("Workspace URL", known).await?;
        match Host::parse(&answer) {
            Ok(_) => return Ok(answer),
            Err(error) => terminal::tell(&error.to_string()),
        }
    }
}

/// The credential, if no secret was piped in.
pub(super) async fn credential(
    client_id: Option<String>,
    host: &str,
    current: Option<&ProfileView>,
) -> Result<Credential> {
    let is_same_host = |profile: &&ProfileView| {
        let same = Host::parse(host).map(|host| profile.host.as_deref() == Some(host.as_str()));
        same.unwrap_or_default()
    };
    let kept = current.filter(is_same_host).and_then(|profile| profile.auth_type.as_deref());
    if !ask::is_possible() {
        return match (client_id, kept) {
            (None, Some(_)) => Ok(Credential::Kept),
            (Some(_), _) => Err(missing("no secret given", "pipe it in with --secret-stdin")),
            (None, None) => Err(missing(
                "no credential given",
                "pipe in an access token with --token-stdin, or a secret with --client-id and --secret-stdin",
            )),
        };
    }
    if let Some(id) = client_id {
        return Ok(Credential::Principal(id, ask::secret("OAuth secret (hidden): ").await?));
    }
    let mut choices =
        vec!["login with a browser".to_owned(), "access token".to_owned(), "service principal".to_owned()];
    choices.extend(kept.map(|kind| format!("keep the present one ({kind})")));
    let default = if kept.is_some() { "4" } else { "1" };
    terminal::tell("How do you want to connect?");
    list(&choices);
    loop {
        match (ask::line_or("Choice", Some(default)).await?.as_str(), kept) {
            ("1", _) => {
                login::check_terminal()?;
                return Ok(Credential::Login);
            }
            ("2", _) => return Ok(Credential::Token(ask::secret("Access token (hidden): ").await?)),
            ("3", _) => {
                let id = ask::line_or("Application ID of the service principal", None).await?;
                return Ok(Credential::Principal(id, ask::secret("OAuth secret (hidden): ").await?));
            }
            ("4", Some(_)) => return Ok(Credential::Kept),
            _ => terminal::tell(&format!("answer a number from 1 to {}", choices.len())),
        }
    }
}

/// The ID of the warehouse or cluster that is given or chosen; `None` to leave it as it is.
pub(super) async fn resource<S: Named>(
    given: Option<String>,
    service: &S,
    used_by: &str,
) -> Result<Option<String>> {
    if let Some(given) = given {
        return Ok(Some(service.find(&given).await?));
    }
    if !ask::is_possible() {
        return Ok(None);
    }
    let all = match service.candidates().await {
        Ok(all) if all.is_empty() => return Ok(None),
        Ok(all) => all,
        Err(error) => {
            terminal::tell(&format!("note: cannot list the {}s: {error}", S::NOUN));
            return Ok(None);
        }
    };
    terminal::tell(&format!("Which {} should `{used_by}` use by default?", S::NOUN));
    let shown = |c: &Candidate| format!("{} ({}) {}", c.name, c.id, c.state);
    list(&all.iter().take(LISTED).map(shown).collect::<Vec<_>>());
    if all.len() > LISTED {
        terminal::tell(&format!("  … and {} more", all.len() - LISTED));
    }
    loop {
        let answer = ask::line("Number, ID, or name; Enter for none: ").await?;
        let number =
            answer.parse::<usize>().ok().filter(|number| (1..=all.len().min(LISTED)).contains(number));
        match number {
            _ if answer.is_empty() => return Ok(None),
            Some(number) => return Ok(Some(all[number - 1].id.clone())),
            None => match service.find(&answer).await {
                Ok(id) => return Ok(Some(id)),
                Err(error) => terminal::tell(&error.to_string()),
            },
        }
    }
}

/// Whether the profile becomes the one that is used if no other is named.
pub(super) async fn is_default(name: &str, profiles: &[ProfileView]) -> Result<bool> {
    let current = profiles.iter().find(|profile| profile.default);
    let is_so = match current {
        Some(current) => current.name == name,
        None => name == DEFAULT,
    };
    if is_so || !ask::is_possible() {
        return Ok(false);
    }
    ask::yes(&format!("Use profile {name} when no other is named?"), current.is_none()).await
}

fn list(choices: &[String]) {
    for (number, choice) in choices.iter().enumerate() {
        terminal::tell(&format!("  {}  {choice}", number + 1));
    }
}

fn missing(what: &str, hint: &str) -> Failure {
    Failure::usage(what).with_hint(format!("{hint}; or run it on a terminal to be asked"))
}
