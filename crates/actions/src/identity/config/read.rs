//! Gathers the values of all sources and settles which one counts.

use std::{io, path::PathBuf};

use super::{
    Config, Environment, Ignored, Setting, Source,
    attribute::{ATTRIBUTES, Attribute, Form, attribute, flag, is_id},
    ini::{DEFAULT, Ini, SETTINGS, Section},
};
use crate::{Error, Host, Result, Secret};

pub(super) fn read(explicit: &[(&str, &str)], environment: &Environment) -> Result<Config> {
    let explicit = from_arguments(explicit)?;
    let variables = from_variables(environment);
    let find = |name: &str| explicit.iter().chain(&variables).find(|s| s.attribute.name == name);

    let named = find("profile").cloned();
    let given = |s: &Setting| s.attribute.name == "host" || is_credential(s);
    let file = match (&named, explicit.iter().chain(&variables).any(given)) {
        (None, true) => None,
        _ => File::open(find("config_file"), environment, named.is_some())?,
    };
    let section = match &file {
        Some(file) => file.choose(named.as_ref())?,
        None => None,
    };
    let from_profile = match (&file, section) {
        (Some(file), Some(section)) => file.settings(section, named.is_none()),
        _ => Vec::new(),
    };

    let whole = named.as_ref().is_some_and(|p| p.source == Source::Explicit);
    let mut merge = Merge::default();
    if whole {
        // Variables may complete it: a token, if it has no credential and they name no other host.
        let own_credential = from_profile.iter().any(|s| is_credential(s) || s.attribute.name == "auth_type");
        let alone = own_credential || differ(host_of(&from_profile), host_of(&variables));
        let (beside, rest): (Vec<_>, Vec<_>) = variables
            .into_iter()
            .partition(|s| alone && (s.attribute.family.is_some() || s.attribute.name == "auth_type"));
        [explicit, from_profile, rest].into_iter().flatten().for_each(|s| merge.add(s));
        let profile = named.as_ref().map_or("", |p| p.value.expose());
        merge.ignored.extend(
            beside.into_iter().map(|s| Ignored::new(&s, format!("profile {profile} is taken whole"))),
        );
    } else {
        [explicit, variables, from_profile].into_iter().flatten().for_each(|s| merge.add(s));
    }
    finish(merge, environment, file)
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

/// A value that says how to authenticate, and isn't a flag that says no.
fn is_credential(setting: &Setting) -> bool {
    setting.attribute.family.is_some()
        && (setting.attribute.form != Form::Flag || flag(setting.value.expose()) != Some(false))
}

#[derive(Default)]
struct Merge {
    settings: Vec<Setting>,
    ignored: Vec<Ignored>,
    hosts: Vec<(String, Source)>,
}

impl Merge {
    /// Adds a value of the next lower rank.
    fn add(&mut self, setting: Setting) {
        if setting.attribute.name == "host" {
            self.hosts.push((setting.value.expose().to_owned(), setting.source.clone()));
        }
        match self.settings.iter().find(|s| s.attribute == setting.attribute) {
            None => self.settings.push(setting),
            Some(winner) => {
                let reason = format!("{} comes first", winner.source);
                self.ignored.push(Ignored::new(&setting, reason));
            }
        }
    }
}

fn finish(merge: Merge, environment: &Environment, file: Option<File>) -> Result<Config> {
    let Merge { mut settings, ignored, hosts } = merge;
    settings.iter().try_for_each(check_form)?;
    settings.retain(|s| s.attribute.form != Form::Flag || flag(s.value.expose()) != Some(false));
    let mut host = None;
    if let Some(setting) = settings.iter_mut().find(|s| s.attribute.name == "host") {
        let parsed = Host::parse(setting.value.expose()).map_err(|e| with_source_of(e, setting))?;
        setting.value = Secret::new(parsed.as_str());
        host = Some(parsed);
    }
    for (name, value) in [
        ("workspace_id", host.as_ref().and_then(Host::workspace_id)),
        ("account_id", host.as_ref().and_then(Host::account_id)),
    ] {
        if let (Some(value), Some(attribute), false) =
            (value, attribute(name), settings.iter().any(|s| s.attribute.name == name))
        {
            let setting = Setting { attribute, value: Secret::new(value), source: Source::Address };
            check_form(&setting)?;
            settings.push(setting);
        }
    }
    settings.sort_by_key(|s| ATTRIBUTES.iter().position(|a| a == s.attribute));
    let mut warnings = file.map(|f| f.warnings).unwrap_or_default();
    warnings.extend(mixed(&settings));
    Ok(Config { settings, ignored, warnings, host, named_hosts: hosts, environment: environment.clone() })
}

fn with_source_of(error: Error, setting: &Setting) -> Error {
    let shown = Error::configuration(format!("{error} ({})", setting.source));
    match error.hint() {
        Some(hint) => shown.with_hint(hint),
        None => shown,
    }
}

/// A credential from one place and the host from another: allowed, and worth a word.
fn mixed(settings: &[Setting]) -> Option<String> {
    let host = settings.iter().find(|s| s.attribute.name == "host")?;
    let other = settings.iter().find(|s| is_credential(s) && !s.source.is_beside(&host.source))?;
    Some(format!(
        "{} of {} is used with the host of {}: {}",
        other.attribute.name,
        other.source,
        host.source,
        host.value.expose()
    ))
}

fn check_form(setting: &Setting) -> Result<()> {
    let text = setting.value.expose();
    let wanted = match setting.attribute.form {
        Form::Flag if flag(text).is_none() => "true or false",
        Form::Id if !is_id(text) => "an id (letters, digits and hyphens)",
        Form::Number if text.parse::<i64>().is_err() => "a whole number",
        _ => return Ok(()),
    };
    Err(Error::configuration(format!(
        "{} must be {wanted} ({}): {:?}",
        setting.attribute.name,
        setting.source,
        setting.shown()
    )))
}

pub(super) fn from_arguments(explicit: &[(&str, &str)]) -> Result<Vec<Setting>> {
    let mut settings = Vec::new();
    for (name, value) in explicit {
        let attribute = attribute(name)
            .ok_or_else(|| Error::usage(format!("there is no setting of this name: {name}")))?;
        if !value.trim().is_empty() {
            settings.push(Setting { attribute, value: Secret::new(*value), source: Source::Explicit });
        }
    }
    Ok(settings)
}

pub(super) fn from_variables(environment: &Environment) -> Vec<Setting> {
    let setting = |attribute: &'static Attribute| {
        let (variable, value) = attribute.variables.iter().find_map(|v| Some((v, environment.get(v)?)))?;
        let source = Source::Environment { variable: (*variable).to_owned() };
        Some(Setting { attribute, value: Secret::new(value), source })
    };
    ATTRIBUTES.iter().filter_map(setting).collect()
}

/// The configuration file, read.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) ini: Ini,
    warnings: Vec<String>,
}

impl File {
    /// `None` if there is no file and nobody asked for one.
    pub(super) fn open(
        named: Option<&Setting>,
        environment: &Environment,
        needed: bool,
    ) -> Result<Option<Self>> {
        let path = match (named, environment.home()) {
            (Some(setting), _) => environment.expand(setting.value.expose()),
            (None, Some(home)) => home.join(".databrickscfg"),
            (None, None) if needed => {
                return Err(Error::configuration(
                    "a profile is named, and there is no home directory to find it in",
                ));
            }
            (None, None) => return Ok(None),
        };
        let shown = path.display().to_string();
        match std::fs::read(&path) {
            Ok(bytes) => {
                let ini = Ini::parse(&String::from_utf8_lossy(&bytes), &shown)?;
                let warnings = readable_by_others(&path).into_iter().collect();
                Ok(Some(Self { path, ini, warnings }))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound && named.is_none() && !needed => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Err(Error::configuration(format!("the configuration file does not exist: {shown}"))
                    .with_hint(
                        "make it with `databricks configure`, or set DATABRICKS_HOST and DATABRICKS_TOKEN",
                    ))
            }
            Err(e) => {
                Err(Error::configuration(format!("the configuration file can't be read: {shown}"))
                    .with_source(e))
            }
        }
    }

    /// The section to use: the one named, the file's own default, `DEFAULT`, or none.
    fn choose(&self, named: Option<&Setting>) -> Result<Option<&Section>> {
        let default = self.ini.section(SETTINGS).and_then(|s| s.get("default_profile"));
        let Some(name) = named.map(|s| s.value.expose()).or(default) else {
            return Ok(self.ini.section(DEFAULT));
        };
        if name == SETTINGS {
            return Err(Error::configuration(format!(
                "{SETTINGS} is a reserved section name and cannot be used as a profile: {}",
                self.path.display()
            )));
        }
        let section = self.ini.section(name).filter(|s| name != DEFAULT || s.keys().next().is_some());
        section.map(Some).ok_or_else(|| {
            let names: Vec<_> = self.ini.profiles().map(|s| s.name.as_str()).collect();
            let by = named.map_or("default_profile".to_owned(), |s| s.source.to_string());
            Error::configuration(format!(
                "there is no profile {name} in {} (named by {by})",
                self.path.display()
            ))
            .with_hint(if names.is_empty() {
                "the file has no profiles".to_owned()
            } else {
                format!("its profiles are: {}", names.join(", "))
            })
        })
    }

    /// The section's values; with its own name, unless that is given already.
    fn settings(&self, section: &Section, with_name: bool) -> Vec<Setting> {
        let source = Source::Profile { profile: section.name.clone(), file: self.path.clone() };
        let setting = |attribute: &'static Attribute| {
            let value = match attribute.name {
                "profile" => with_name.then_some(section.name.as_str())?,
                "config_file" => return None,
                name => {
                    section.get(name).or_else(|| attribute.other_keys.iter().find_map(|k| section.get(k)))?
                }
            };
            Some(Setting { attribute, value: Secret::new(value), source: source.clone() })
        };
        ATTRIBUTES.iter().filter_map(setting).collect()
    }
}

#[cfg(unix)]
pub(super) fn readable_by_others(path: &std::path::Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0)
        .then(|| format!("{} may be read by others (mode {mode:o}): chmod 600 it", path.display()))
}

#[cfg(not(unix))]
pub(super) fn readable_by_others(_: &std::path::Path) -> Option<String> {
    None
}
