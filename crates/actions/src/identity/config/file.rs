//! The configuration file: where it is, which profile of it is used, and who may read it.

use std::{
    fmt, io,
    path::{Path, PathBuf},
};

use super::{
    attribute::{ATTRIBUTES, Attribute},
    ini::{DEFAULT, Ini, SETTINGS, Section},
    settings::{Ignored, Setting, Source},
};
use brickwire_wire::{file, redact::MASK};

use crate::{Environment, Error, Result, Secret};

/// Settings that a profile doesn't have. A client secret may come from elsewhere, so a profile doesn't decide which
/// endpoint receives it.
pub(crate) const NOT_IN_PROFILES: [&str; 3] = ["config_file", "token_url", "discovery_url"];

/// The most profiles that a hint lists.
const LISTED: usize = 20;

/// The file that is named, or else the one in the home directory, if there is one.
pub(crate) fn path_of(named: Option<&Setting>, environment: &Environment) -> Option<PathBuf> {
    match named {
        Some(setting) => Some(environment.expand(setting.value.expose())),
        None => environment.home().map(|home| home.join(".databrickscfg")),
    }
}

/// A configuration file.
#[derive(Clone)]
pub(crate) struct ConfigFile {
    pub(crate) path: PathBuf,
    pub(crate) ini: Ini,
    pub(crate) warning: Option<String>,
}

/// Names the path only: the values may be secrets.
impl fmt::Debug for ConfigFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ConfigFile").field("path", &self.path).finish_non_exhaustive()
    }
}

impl ConfigFile {
    /// Reads the file; `None` if it doesn't exist and is neither named nor needed.
    pub(crate) fn open(
        named: Option<&Setting>,
        environment: &Environment,
        needed: bool,
    ) -> Result<Option<Self>> {
        let Some(path) = path_of(named, environment) else {
            return match needed {
                true => Err(Error::configuration(
                    "a profile is named, but there is no home directory to find it in",
                )),
                false => Ok(None),
            };
        };
        let shown = path.display().to_string();
        match file::read(&path, file::LIMIT) {
            Ok(bytes) => {
                let ini = Ini::parse(&String::from_utf8_lossy(&bytes), &shown)?;
                let warning = readable_by_others(&path);
                Ok(Some(Self { path, ini, warning }))
            }
            Err(e) if e.kind() == io::ErrorKind::NotFound && named.is_none() && !needed => Ok(None),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                Err(Error::configuration(format!("the configuration file does not exist: {shown}"))
                    .with_hint("create it with `save_profile`, or set DATABRICKS_HOST and DATABRICKS_TOKEN"))
            }
            Err(e) => {
                Err(Error::configuration(format!("the configuration file can't be read: {shown}"))
                    .with_source(e))
            }
        }
    }

    /// The section to use: the one that is named, or the file's own default, or `DEFAULT`.
    pub(crate) fn choose(&self, named: Option<&Setting>) -> Result<Option<&Section>> {
        let default = self.ini.section(SETTINGS).and_then(|s| s.get("default_profile"));
        let Some(name) = named.map(|s| s.value.expose()).or(default) else {
            return Ok(self.ini.section(DEFAULT));
        };
        let file = self.path.display();
        if name == SETTINGS {
            let text =
                format!("{SETTINGS} is a reserved section name and cannot be used as a profile: {file}");
            return Err(Error::configuration(text));
        }
        let section = self.ini.section(name).filter(|s| name != DEFAULT || s.keys().next().is_some());
        section.map(Some).ok_or_else(|| {
            let names: Vec<_> = self.ini.profiles().map(|s| s.name.as_str()).collect();
            let by = named.map_or("default_profile".to_owned(), |s| s.source.to_string());
            let hint = match names.len() {
                0 => "the file has no profiles".to_owned(),
                1..=LISTED => format!("its profiles are: {}", names.join(", ")),
                all => {
                    format!("the first of its {all} profiles are: {}", names[..LISTED].join(", "))
                }
            };
            Error::configuration(format!("there is no profile {name} in {file} (named by {by})"))
                .with_hint(hint)
        })
    }

    /// The settings of a section; `with_name` adds the section's own name as `profile`.
    pub(crate) fn settings(&self, section: &Section, with_name: bool) -> Vec<Setting> {
        let source = Source::Profile { profile: section.name.clone(), file: self.path.clone() };
        let setting = |attribute: &'static Attribute| {
            let value = match attribute.name {
                "profile" => with_name.then_some(section.name.as_str())?,
                name if NOT_IN_PROFILES.contains(&name) => return None,
                name => {
                    section.get(name).or_else(|| attribute.other_keys.iter().find_map(|k| section.get(k)))?
                }
            };
            Some(Setting { attribute, value: Secret::new(value), source: source.clone() })
        };
        ATTRIBUTES.iter().filter_map(setting).collect()
    }

    /// The keys of a section that aren't settings of a profile. Their values are not shown: a key that isn't known may
    /// hold a secret.
    pub(crate) fn unused_keys(&self, section: &Section) -> Vec<Ignored> {
        let source = Source::Profile { profile: section.name.clone(), file: self.path.clone() }.to_string();
        let reason = |key: &str| {
            if NOT_IN_PROFILES.contains(&key) {
                return Some("it is not read from a profile");
            }
            let is_known = ATTRIBUTES.iter().any(|a| a.name == key || a.other_keys.contains(&key));
            (!is_known || key == "profile").then_some("there is no setting of this name")
        };
        let keys = section.keys().filter(|key| section.get(key).is_some());
        keys.filter_map(|key| {
            let reason = reason(key)?.to_owned();
            Some(Ignored { name: key.to_owned(), value: MASK.to_owned(), source: source.clone(), reason })
        })
        .collect()
    }
}

/// A warning if other users may read the file.
#[cfg(unix)]
pub(crate) fn readable_by_others(path: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = path.metadata().ok()?.permissions().mode() & 0o777;
    (mode & 0o077 != 0)
        .then(|| format!("{} may be read by other users (mode {mode:o}): chmod 600 it", path.display()))
}

#[cfg(not(unix))]
pub(crate) fn readable_by_others(_: &Path) -> Option<String> {
    None
}
