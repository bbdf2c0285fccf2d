//! The settings that are given, each with its source, and what they say together.

use std::{fmt, mem::discriminant, path::PathBuf};

use brickwire_wire::redact::MASK;
use serde::Serialize;

use super::attribute::Attribute;
use crate::{Environment, Error, Host, Result, Secret};

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Source {
    /// The caller.
    Explicit,
    /// An environment variable.
    Environment {
        /// Its name.
        variable: String,
    },
    /// A profile of the configuration file.
    Profile {
        /// The profile's name.
        profile: String,
        /// The file.
        file: PathBuf,
    },
    /// The host's address (`?o=`, `?a=`).
    Address,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Explicit => f.write_str("explicit"),
            Self::Environment { variable } => write!(f, "environment {variable}"),
            Self::Profile { profile, file } => write!(f, "profile {profile} in {}", file.display()),
            Self::Address => f.write_str("the host's address"),
        }
    }
}

/// A value and its source.
#[derive(Debug, Clone)]
pub struct Setting {
    pub(crate) attribute: &'static Attribute,
    pub(crate) value: Secret,
    pub(crate) source: Source,
}

impl Setting {
    /// The setting's name, such as `warehouse_id`.
    pub fn name(&self) -> &'static str {
        self.attribute.name
    }

    /// The value for display: `***` for a secret.
    pub fn shown(&self) -> &str {
        if self.attribute.secret { MASK } else { self.value.expose() }
    }

    /// Where the value comes from.
    pub fn source(&self) -> &Source {
        &self.source
    }

    /// Whether another value comes from the same source, so that the two may belong together.
    pub(crate) fn is_beside(&self, other: &Source) -> bool {
        discriminant(&self.source) == discriminant(other)
    }
}

/// One value for display.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct SettingView {
    /// The setting's name.
    pub name: String,
    /// Its value; `***` for a secret.
    pub value: String,
    /// Where it comes from.
    pub source: String,
}

impl From<&Setting> for SettingView {
    fn from(setting: &Setting) -> Self {
        let value = match setting.name() {
            // A host that was not used is as it was written, possibly with user information.
            "host" => Host::parse(setting.shown()).map_or_else(|_| MASK.to_owned(), |h| h.to_string()),
            _ => setting.shown().to_owned(),
        };
        Self { name: setting.name().to_owned(), value, source: setting.source.to_string() }
    }
}

/// A value that is given but not used.
#[derive(Debug, Clone, Serialize)]
#[non_exhaustive]
pub struct Ignored {
    /// The setting's name.
    pub name: String,
    /// Its value; `***` for a secret.
    pub value: String,
    /// Where it comes from.
    pub source: String,
    /// Why it is not used.
    pub reason: String,
}

impl Ignored {
    pub(crate) fn new(setting: &Setting, reason: String) -> Self {
        let SettingView { name, value, source } = setting.into();
        Self { name, value, source, reason }
    }
}

/// Why the settings don't result in a connection.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    /// The reason.
    pub(crate) error: Error,
    /// All settings on one line, where they explain the reason.
    pub(crate) summary: Option<String>,
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        Self { error, summary: None }
    }
}

impl From<Fault> for Error {
    fn from(Fault { error, summary }: Fault) -> Self {
        match summary {
            Some(summary) => error.clone().with_message(format!("{error}; {summary}")),
            None => error,
        }
    }
}

/// The settings that are used, and what else was given.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) used: Vec<Setting>,
    pub(crate) ignored: Vec<Ignored>,
    pub(crate) warnings: Vec<String>,
    pub(crate) host: Option<Host>,
    /// The host that each source names: at most one for the caller, the environment and the profile. `None` if it can't
    /// be parsed.
    pub(crate) named_hosts: Vec<(Option<Host>, Source)>,
    pub(crate) environment: Environment,
}

impl Settings {
    pub(crate) fn get(&self, name: &str) -> Option<&Setting> {
        self.used.iter().find(|s| s.attribute.name == name)
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The value of a setting that is no secret.
    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        self.get(name).filter(|s| !s.attribute.secret).map(|s| s.value.expose())
    }

    pub(crate) fn text(&self, name: &str) -> Option<String> {
        self.value(name).map(str::to_owned)
    }

    /// The configured scopes, which are separated by commas or blanks: sorted, without duplicates.
    pub(crate) fn scopes(&self) -> Vec<String> {
        let text = self.value("scopes").unwrap_or_default();
        let mut scopes: Vec<_> =
            text.split([',', ' ', '\t', '\n']).filter(|s| !s.is_empty()).map(str::to_owned).collect();
        scopes.sort();
        scopes.dedup();
        scopes
    }

    /// All settings on one line, with secrets masked and sources named.
    pub(crate) fn summary(&self) -> String {
        let shown = |s: &Setting| format!("{}={} ({})", s.name(), s.shown(), s.source);
        match self.used.is_empty() {
            true => "nothing is configured".to_owned(),
            false => format!("configured: {}", self.used.iter().map(shown).collect::<Vec<_>>().join(", ")),
        }
    }

    /// A fault that all settings together explain.
    pub(crate) fn fault(&self, why: &str, hint: impl Into<String>) -> Fault {
        Fault { error: Error::configuration(why).with_hint(hint), summary: Some(self.summary()) }
    }

    /// The fault of settings without a usable credential.
    pub(crate) fn incomplete(&self, why: &str, hint: impl Into<String>) -> Fault {
        self.fault(&format!("cannot configure default credentials: {why}"), hint)
    }

    /// Refuses a credential whose own source names another host than the one that is used.
    pub(crate) fn check_hosts(&self) -> Result<()> {
        let (Some(host), Some(used)) = (&self.host, self.get("host")) else { return Ok(()) };
        for (other, source) in &self.named_hosts {
            if other.as_ref().is_some_and(|other| other.as_str() == host.as_str()) {
                continue;
            }
            let credential = self.used.iter().find(|s| s.attribute.family.is_some() && s.is_beside(source));
            // A profile and a host that one source names must agree, even if the profile has no credential.
            let profile = self.get("profile").filter(|profile| {
                matches!(source, Source::Profile { .. }) && profile.is_beside(&used.source)
            });
            let Some(what) = credential.or(profile) else { continue };
            let other = other.as_ref().map_or("not an address".to_owned(), ToString::to_string);
            let text =
                format!("two sources name different hosts: {host} ({}) and {other} ({source})", used.source);
            return Err(Error::configuration(text).with_hint(format!(
                "the {} was given for {other} and is not sent to {host}: remove one of the two hosts, or give host and \
                 credential together",
                what.name()
            )));
        }
        Ok(())
    }
}
