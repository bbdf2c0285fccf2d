//! Writes a profile to the configuration file, which happens only when the user asks for it.
//!
//! The new file is written next to the old one, readable by its owner only, and renamed, so that no reader sees a part of
//! it. Where the path is a link, its target is replaced. A file that is read-only stays as it is.
//!
//! A profile's old credential is removed when a new one is written: two kinds of credential contradict each other. If the
//! host changes, so does everything that belongs to the old workspace.

use std::{
    fs::{self, Metadata},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::Arc,
};

use brickwire_wire::file;

use super::{
    ConfigBuilder,
    attribute::{ATTRIBUTES, Attribute, attribute},
    edit::{Change, edit},
    file::{ConfigFile, NOT_IN_PROFILES},
    ini::{Ini, SETTINGS, Section},
    normalize::compute_of,
    read::check_form,
    settings::{Setting, Source},
    view::alone,
};
use crate::{
    Config, Error, ErrorKind, Host, Result, Secret, identity::environment::HOME, local_name::replace,
};

/// The settings that belong to one workspace, apart from the credential.
const OF_WORKSPACE: [&str; 6] =
    ["account_id", "workspace_id", "warehouse_id", "cluster_id", "http_path", "serverless_compute_id"];

/// How often the change is made anew because another program has written the file in the meantime.
const ATTEMPTS: usize = 3;

/// Settings for a profile of the configuration file. Settings that it doesn't name stay as they are in the file, except
/// that a new credential replaces the old one, and another host replaces all that belongs to the old workspace.
///
/// ```
/// use brickwire_actions::{Config, Environment, Profile};
/// let home = tempfile::tempdir().unwrap();
/// let builder = Config::builder().environment(Environment::default().with_home(home.path()));
/// let profile = Profile::new("work").with("host", "x.cloud.databricks.com").with("token", "dapi-1");
/// builder.save_profile(&profile)?;
/// assert_eq!(builder.profile("work").resolve()?.auth_type(), Some("pat"));
/// # Ok::<(), brickwire_actions::Error>(())
/// ```
#[derive(Debug, Clone)]
#[must_use = "a profile is written by `save_profile`"]
pub struct Profile {
    name: String,
    values: Vec<(String, Secret)>,
    is_login: bool,
    is_default: bool,
}

impl Profile {
    /// A profile with this name and no settings.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), values: Vec::new(), is_login: false, is_default: false }
    }

    /// Adds a setting by its name, such as `host` or `warehouse_id`. A later value replaces an earlier one.
    pub fn with(mut self, setting: &str, value: impl Into<Secret>) -> Self {
        self.values.retain(|(name, _)| name != setting);
        self.values.push((setting.to_owned(), value.into()));
        self
    }

    /// Removes any credential from the profile, so that the login of its host is used.
    pub fn with_login(mut self) -> Self {
        self.is_login = true;
        self
    }

    /// Makes it the profile that is used if none is named.
    pub fn as_default(mut self) -> Self {
        self.is_default = true;
        self
    }

    /// The profile's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What to change in the file's section, in which the profile may exist already.
    fn changes(&self, current: Option<&Section>) -> Result<Vec<Change>> {
        check_name(&self.name)?;
        let mut new: Vec<(&'static Attribute, Secret)> = Vec::new();
        for (name, value) in &self.values {
            let is_unknown = || Error::usage(format!("a profile has no setting of this name: {name}"));
            let attribute = attribute(name)
                .filter(|a| a.name != "profile" && !NOT_IN_PROFILES.contains(&a.name))
                .ok_or_else(is_unknown)?;
            let value = match attribute.secret {
                true => value.cleaned(name)?,
                false => Secret::new(value.expose().trim()),
            };
            if value.expose().is_empty() {
                return Err(Error::usage(format!("the {name} is empty")));
            }
            let setting = Setting { attribute, value, source: Source::Explicit };
            check_form(&setting)?;
            new.push((attribute, setting.value));
        }
        let is_moved = self.host(&mut new, current)?;
        let is_credential = |a: &Attribute| a.family.is_some() || a.name == "auth_type";
        let is_replaced = self.is_login || is_moved || new.iter().any(|(a, _)| is_credential(a));
        let names_compute =
            |path: &str| compute_of(path).is_some_and(|(name, _)| new.iter().any(|(a, _)| a.name == name));
        let has_old_path = current.and_then(|c| c.get("http_path")).is_some_and(names_compute);
        let is_old = |a: &Attribute| {
            is_replaced && is_credential(a)
                || is_moved && OF_WORKSPACE.contains(&a.name)
                || has_old_path && a.name == "http_path"
        };
        let is_new = |a: &Attribute| new.iter().any(|(known, _)| *known == a);
        let mut changes: Vec<Change> = Vec::new();
        for attribute in ATTRIBUTES.iter().filter(|a| is_new(a) || is_old(a)) {
            changes.extend(attribute.other_keys.iter().map(|key| (*key, None)));
            let value = new.iter().find(|(known, _)| *known == attribute).map(|(_, value)| value.clone());
            changes.push((attribute.name, value));
        }
        Ok(changes)
    }

    /// Writes the host as its origin, and the ids in its address as settings. Returns whether the profile had another host.
    fn host(&self, new: &mut Vec<(&'static Attribute, Secret)>, current: Option<&Section>) -> Result<bool> {
        let Some((_, value)) = new.iter_mut().find(|(a, _)| a.name == "host") else { return Ok(false) };
        let host = Host::parse(value.expose())?;
        *value = Secret::new(host.as_str());
        for (name, id) in [("workspace_id", host.workspace_id()), ("account_id", host.account_id())] {
            if let (Some(id), Some(attribute), false) =
                (id, attribute(name), new.iter().any(|(a, _)| a.name == name))
            {
                new.push((attribute, Secret::new(id)));
            }
        }
        let old = current.and_then(|section| section.get("host"));
        Ok(old.is_some_and(|old| Host::parse(old).map_or(true, |old| old.as_str() != host.as_str())))
    }
}

/// Refuses a name that would be read as another one.
fn check_name(name: &str) -> Result<()> {
    let why = match name {
        "" => "is empty",
        SETTINGS => "is reserved",
        _ if name.trim() != name || name.contains(|c: char| c.is_control() || matches!(c, '[' | ']')) => {
            "cannot have brackets, control characters, or blanks at its ends"
        }
        _ => return Ok(()),
    };
    Err(Error::usage(format!("the profile's name {why}: {name:?}")))
}

impl ConfigBuilder {
    /// The configuration that the profile will have once it is saved, without the environment's settings. Nothing is
    /// written.
    ///
    /// ```no_run
    /// use brickwire_actions::{Config, Profile};
    /// let profile = Profile::new("work").with("host", "x.cloud.databricks.com").with("token", "dapi-1");
    /// assert_eq!(Config::builder().preview_profile(&profile)?.auth_type(), Some("pat"));
    /// # Ok::<(), brickwire_actions::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Usage`] for a name, a setting, or a value that can't be written, [`ErrorKind::Configuration`] if the
    /// file isn't understood or the profile contradicts itself, and [`ErrorKind::Local`] if the file can't be read or is
    /// read-only.
    pub fn preview_profile(&self, profile: &Profile) -> Result<Config> {
        let file = Draft::open(self)?;
        let text = file.with(profile)?;
        let ini = Ini::parse(&text, &file.path.display().to_string())?;
        let file = Arc::new(ConfigFile { path: file.path, ini, warning: None });
        let config = alone(&self.environment_or_process(), &file).profile(&profile.name);
        match self.given().iter().find(|(name, _)| name == "ca_file") {
            Some((_, authorities)) => config.with("ca_file", authorities.clone()),
            None => config,
        }
        .resolve()
    }

    /// Writes a profile to the configuration file, and returns the file's path. The file is created if it doesn't exist;
    /// otherwise only the lines of this profile change.
    ///
    /// ```no_run
    /// use brickwire_actions::{Config, Profile};
    /// let file = Config::builder().save_profile(&Profile::new("work").with("warehouse_id", "0123456789abcdef"))?;
    /// println!("saved in {}", file.display());
    /// # Ok::<(), brickwire_actions::Error>(())
    /// ```
    ///
    /// # Errors
    /// As for [`preview_profile`](Self::preview_profile), and [`ErrorKind::Local`] if the file can't be written.
    pub fn save_profile(&self, profile: &Profile) -> Result<PathBuf> {
        self.change(|file| file.with(profile))
    }

    /// Makes a profile of the configuration file the one that is used if none is named, and returns the file's path.
    ///
    /// ```no_run
    /// brickwire_actions::Config::builder().set_default_profile("work")?;
    /// # Ok::<(), brickwire_actions::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`ErrorKind::Configuration`] for a profile or a file that doesn't exist, and [`ErrorKind::Local`] if the file is
    /// read-only or can't be written.
    pub fn set_default_profile(&self, name: &str) -> Result<PathBuf> {
        check_name(name)?;
        self.clone().profile(name).read()?;
        self.change(|file| edit(&file.text, SETTINGS, &[default_profile(name)]))
    }

    fn change(&self, change: impl Fn(&Draft) -> Result<String>) -> Result<PathBuf> {
        for _ in 0..ATTEMPTS {
            let draft = Draft::open(self)?;
            let text = change(&draft)?;
            if text == draft.text && draft.known.is_some() || draft.replace(&text)? {
                return Ok(draft.path);
            }
        }
        let path = self.file_path()?.unwrap_or_default();
        Err(local("other programs keep writing the configuration file", &path).with_hint("try again"))
    }
}

fn default_profile(name: &str) -> Change {
    ("default_profile", Some(Secret::new(name)))
}

/// A configuration file that is about to change.
struct Draft {
    path: PathBuf,
    text: String,
    /// `None` if the file doesn't exist.
    known: Option<Metadata>,
}

impl Draft {
    /// Reads the file. What prevents it from being written is an error here, before anything else is done.
    fn open(builder: &ConfigBuilder) -> Result<Self> {
        let path = builder.file_path()?.ok_or_else(|| {
            Error::configuration("there is no home directory for the configuration file")
                .with_hint(format!("set {HOME}"))
        })?;
        let bytes = match file::read(&path, file::LIMIT) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound && !path.is_symlink() => {
                if !folder_of(&path).exists() {
                    return Err(local("there is no such folder", folder_of(&path))
                        .with_hint("create the folder first"));
                }
                return Ok(Self { path, text: String::new(), known: None });
            }
            Err(e) => return Err(local("the configuration file can't be read", &path).with_source(e)),
        };
        let Ok(text) = String::from_utf8(bytes) else {
            return Err(Error::configuration(format!(
                "the configuration file is not UTF-8: {}",
                path.display()
            ))
            .with_hint("save it as UTF-8 in an editor first"));
        };
        // Nothing is written to a file that isn't understood.
        Ini::parse(&text, &path.display().to_string())?;
        let known = path
            .metadata()
            .map_err(|e| local("the configuration file can't be read", &path).with_source(e))?;
        if known.permissions().readonly() {
            return Err(local("the configuration file is read-only", &path)
                .with_hint("make it writable, or name another file with DATABRICKS_CONFIG_FILE"));
        }
        Ok(Self { path, text, known: Some(known) })
    }

    /// The text with a profile in it.
    fn with(&self, profile: &Profile) -> Result<String> {
        let ini = Ini::parse(&self.text, &self.path.display().to_string())?;
        let changes = profile.changes(ini.section(&profile.name))?;
        let text = edit(&self.text, &profile.name, &changes)?;
        match profile.is_default {
            true => edit(&text, SETTINGS, &[default_profile(&profile.name)]),
            false => Ok(text),
        }
    }

    /// Replaces the file; `false` if another program has changed it since it was read.
    fn replace(&self, text: &str) -> Result<bool> {
        let failed =
            |e: io::Error| local("the configuration file can't be written", &self.path).with_source(e);
        let path = match &self.known {
            Some(_) => fs::canonicalize(&self.path).map_err(failed)?,
            None => self.path.clone(),
        };
        let folder = folder_of(&path);
        // Created with mode 0600.
        let mut new =
            tempfile::Builder::new().prefix(".databrickscfg.").tempfile_in(folder).map_err(failed)?;
        #[cfg(unix)]
        if let Some(known) = &self.known {
            keep_owner(new.as_file(), known).map_err(failed)?;
        }
        new.write_all(text.as_bytes()).and_then(|()| new.as_file().sync_all()).map_err(failed)?;
        match (file::read(&path, file::LIMIT), &self.known) {
            (Ok(now), Some(_)) if now == self.text.as_bytes() => {}
            (Err(e), None) if e.kind() == io::ErrorKind::NotFound => {}
            _ => return Ok(false),
        }
        replace(new.into_temp_path(), &path).map_err(failed)?;
        Ok(true)
    }
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Gives the new file the owner of the old one, which would otherwise be locked out when an administrator writes it.
#[cfg(unix)]
fn keep_owner(new: &fs::File, known: &Metadata) -> io::Result<()> {
    use std::os::unix::fs::MetadataExt;
    let created = new.metadata()?;
    if (created.uid(), created.gid()) != (known.uid(), known.gid()) {
        std::os::unix::fs::fchown(new, Some(known.uid()), Some(known.gid()))?;
    }
    Ok(())
}

fn local(what: &str, path: &Path) -> Error {
    Error::new(ErrorKind::Local, format!("{what}: {}", path.display()))
}

#[cfg(test)]
mod tests;
