//! Collects the values of all sources and decides which ones are used.

use std::sync::Arc;

use super::{
    attribute::{ATTRIBUTES, Attribute, Form, attribute, flag},
    file::ConfigFile,
    normalize::{normalize, token_user},
    settings::{Ignored, Setting, Settings, Source},
};
use crate::{Environment, Error, Host, Result, Secret, identity::auth::discovery::is_id};

/// What the caller gives: names of settings and their values.
pub(crate) type Given = [(String, Secret)];

/// `opened` is the configuration file, if it has been read already.
pub(crate) fn read(
    given: &Given,
    environment: &Environment,
    opened: Option<&Arc<ConfigFile>>,
) -> Result<Settings> {
    let mut merge = Merge::default();
    let explicit = normalize(from_caller(given)?, &mut merge.ignored);
    let variables = normalize(from_variables(environment), &mut merge.ignored);
    let find = |name: &str| explicit.iter().chain(&variables).find(|s| s.attribute.name == name);

    let named = find("profile").cloned();
    let is_enough = |s: &Setting| s.attribute.name == "host" || is_credential(s);
    let file = match (&named, explicit.iter().chain(&variables).any(is_enough)) {
        (None, true) => None,
        _ if opened.is_some() => opened.cloned(),
        _ => ConfigFile::open(find("config_file"), environment, named.is_some())?.map(Arc::new),
    };
    let section = match &file {
        Some(file) => file.choose(named.as_ref())?,
        None => None,
    };
    let from_profile = match (&file, section) {
        (Some(file), Some(section)) => {
            merge.ignored.extend(file.unused_keys(section));
            normalize(file.settings(section, named.is_none()), &mut merge.ignored)
        }
        _ => Vec::new(),
    };

    match named.filter(|profile| profile.source == Source::Explicit) {
        // A profile that the caller names comes before the environment. The environment's credential completes it only
        // if the profile has none and the environment names no other host.
        Some(profile) => {
            let has_credential =
                from_profile.iter().any(|s| is_credential(s) || s.attribute.name == "auth_type");
            let is_complete = has_credential || differ(host_of(&from_profile), host_of(&variables));
            let (unused, rest): (Vec<_>, Vec<_>) = variables.into_iter().partition(|s| {
                is_complete && (s.attribute.family.is_some() || s.attribute.name == "auth_type")
            });
            [explicit, from_profile, rest].into_iter().flatten().for_each(|s| merge.add(s));
            let reason = format!("profile {} is taken whole", profile.value.expose());
            merge.ignored.extend(unused.iter().map(|s| Ignored::new(s, reason.clone())));
        }
        None => [explicit, variables, from_profile].into_iter().flatten().for_each(|s| merge.add(s)),
    }
    finish(merge, environment, file.and_then(|file| file.warning.clone()))
}

fn host_of(settings: &[Setting]) -> Option<&str> {
    settings.iter().find(|s| s.attribute.name == "host").map(|s| s.value.expose())
}

fn differ(one: Option<&str>, other: Option<&str>) -> bool {
    match (one.map(Host::parse), other.map(Host::parse)) {
        (Some(Ok(one)), Some(Ok(other))) => one.as_str() != other.as_str(),
        (Some(_), Some(_)) => true,
        _ => false,
    }
}

/// Whether a value says how to authenticate; a flag that is off doesn't.
fn is_credential(setting: &Setting) -> bool {
    setting.attribute.family.is_some() && !is_off(setting)
}

fn is_off(setting: &Setting) -> bool {
    setting.attribute.form == Form::Flag && flag(setting.value.expose()) == Some(false)
}

#[derive(Default)]
struct Merge {
    used: Vec<Setting>,
    ignored: Vec<Ignored>,
    named_hosts: Vec<(Option<Host>, Source)>,
}

impl Merge {
    /// Adds a value, which is ignored if the setting has one already.
    fn add(&mut self, setting: Setting) {
        if setting.attribute.name == "host" {
            self.named_hosts.push((Host::parse(setting.value.expose()).ok(), setting.source.clone()));
        }
        match self.used.iter_mut().find(|s| s.attribute == setting.attribute) {
            None => self.used.push(setting),
            // A safety switch: no source can turn off what another one turns on.
            Some(used) if setting.attribute.name == "read_only" && is_off(used) && !is_off(&setting) => {
                let off = std::mem::replace(used, setting);
                let reason = format!("{} turns it on", used.source);
                self.ignored.push(Ignored::new(&off, reason));
            }
            Some(used) => {
                let reason = format!("{} comes first", used.source);
                self.ignored.push(Ignored::new(&setting, reason));
            }
        }
    }
}

fn finish(merge: Merge, environment: &Environment, warning: Option<String>) -> Result<Settings> {
    let Merge { mut used, mut ignored, named_hosts } = merge;
    // User and password may come from two sources.
    token_user(&mut used, &mut ignored);
    used.iter().try_for_each(check_form)?;
    used.retain(|s| !is_off(s));
    used.retain(|s| match s.attribute.unused {
        Some(why) => {
            ignored.push(Ignored::new(s, why.to_owned()));
            false
        }
        None => true,
    });
    let mut host = None;
    if let Some(setting) = used.iter_mut().find(|s| s.attribute.name == "host") {
        let parsed = Host::parse(setting.value.expose());
        let parsed = parsed.map_err(|e| e.clone().with_message(format!("{e} ({})", setting.source)))?;
        setting.value = Secret::new(parsed.as_str());
        host = Some(parsed);
    }
    for (name, value) in [
        ("workspace_id", host.as_ref().and_then(Host::workspace_id)),
        ("account_id", host.as_ref().and_then(Host::account_id)),
    ] {
        if let (Some(value), Some(attribute), false) =
            (value, attribute(name), used.iter().any(|s| s.attribute.name == name))
        {
            let setting = Setting { attribute, value: Secret::new(value), source: Source::Address };
            check_form(&setting)?;
            used.push(setting);
        }
    }
    used.sort_by_key(|s| ATTRIBUTES.iter().position(|a| a == s.attribute));
    let warnings = warning.into_iter().chain(mixed(&used)).collect();
    Ok(Settings { used, ignored, warnings, host, named_hosts, environment: environment.clone() })
}

/// A warning if the credential and the host come from different sources, which is allowed.
fn mixed(settings: &[Setting]) -> Option<String> {
    let host = settings.iter().find(|s| s.attribute.name == "host")?;
    let other = settings.iter().find(|s| is_credential(s) && !s.is_beside(&host.source))?;
    Some(format!(
        "{} of {} is used with the host of {}: {}",
        other.attribute.name,
        other.source,
        host.source,
        host.value.expose()
    ))
}

pub(crate) fn check_form(setting: &Setting) -> Result<()> {
    let text = setting.value.expose();
    let expected = match setting.attribute.form {
        Form::Flag if flag(text).is_none() => "true or false",
        Form::Id if !is_id(text) => "an id (letters, digits and hyphens)",
        Form::Number if text.parse::<i64>().is_err() => "a whole number",
        _ => return Ok(()),
    };
    Err(Error::configuration(format!(
        "{} must be {expected} ({}): {:?}",
        setting.attribute.name,
        setting.source,
        setting.shown()
    )))
}

fn from_caller(given: &Given) -> Result<Vec<Setting>> {
    let mut settings = Vec::new();
    for (name, value) in given {
        let attribute = attribute(name)
            .ok_or_else(|| Error::usage(format!("there is no setting of this name: {name}")))?;
        if !value.expose().trim().is_empty() {
            settings.push(Setting { attribute, value: value.clone(), source: Source::Explicit });
        }
    }
    Ok(settings)
}

fn from_variables(environment: &Environment) -> Vec<Setting> {
    let setting = |attribute: &'static Attribute| {
        let (variable, value) = attribute.variables.iter().find_map(|v| Some((v, environment.get(v)?)))?;
        let source = Source::Environment { variable: (*variable).to_owned() };
        Some(Setting { attribute, value: Secret::new(value), source })
    };
    ATTRIBUTES.iter().filter_map(setting).collect()
}

/// The setting that names the configuration file, if one does.
pub(crate) fn named_file(given: &Given, environment: &Environment) -> Result<Option<Setting>> {
    let all = from_caller(given)?.into_iter().chain(from_variables(environment));
    Ok(all.into_iter().find(|s| s.attribute.name == "config_file"))
}
