//! Environment variables and the home directory, as a value.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Environment variables and the home directory. [`Config`](crate::Config) depends on nothing else of the process, so a
/// test (or a server with many users) can provide its own.
///
/// ```
/// use brickwire_actions::{Config, Environment};
/// let environment = Environment::new([("DATABRICKS_HOST", "x.cloud.databricks.com"), ("DATABRICKS_TOKEN", "dapi-1")]);
/// let config = Config::builder().environment(environment).resolve()?;
/// assert_eq!(config.connection()?.host().as_str(), "https://x.cloud.databricks.com");
/// # Ok::<(), brickwire_actions::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
    /// Whether this is the process's own environment.
    #[cfg(feature = "keyring")]
    real: bool,
}

impl Environment {
    /// An environment with these variables and no home directory.
    pub fn new<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let variables = variables.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        Self { variables, ..Self::default() }
    }

    /// The variables and home directory of this process, without variables that aren't Unicode.
    pub fn from_process() -> Self {
        let text = |(k, v): (std::ffi::OsString, std::ffi::OsString)| {
            Some((k.into_string().ok()?, v.into_string().ok()?))
        };
        Self {
            variables: std::env::vars_os().filter_map(text).collect(),
            home: std::env::home_dir(),
            #[cfg(feature = "keyring")]
            real: true,
        }
    }

    /// Sets the home directory, which contains `.databrickscfg`.
    #[must_use]
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        #[cfg(feature = "keyring")]
        {
            self.real = false;
        }
        self
    }

    /// Whether this is the process's own environment, so that its user's keyring may be used.
    #[cfg(feature = "keyring")]
    pub(crate) fn is_real(&self) -> bool {
        self.real
    }

    /// Adds a variable, if its value is Unicode.
    pub(crate) fn with(mut self, name: &str, value: impl Into<PathBuf>) -> Self {
        if let Ok(value) = value.into().into_os_string().into_string() {
            self.variables.insert(name.to_owned(), value);
        }
        self
    }

    /// The value of a variable; an empty value counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The home directory.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// All variables, for starting another program.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// Removes the variables whose names match.
    pub(crate) fn without(mut self, is_removed: impl Fn(&str) -> bool) -> Self {
        self.variables.retain(|name, _| !is_removed(name));
        self
    }

    /// Expands `~/` at the start of a path.
    pub(crate) fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/").or_else(|| path.strip_prefix("~\\")), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    /// Finds a program on the PATH.
    pub(crate) fn find_program(&self, name: &str) -> Option<PathBuf> {
        let suffixes: &[&str] = if cfg!(windows) { &[".exe", ".cmd", ".bat"] } else { &[""] };
        std::env::split_paths(self.get("PATH")?)
            .flat_map(|dir| suffixes.iter().map(move |suffix| dir.join(format!("{name}{suffix}"))))
            .find(|path| is_executable(path))
    }
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}

/// Shows names only, because any variable may contain a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.variables.keys().filter(|k| k.starts_with("DATABRICKS_")).collect::<Vec<_>>();
        f.debug_struct("Environment")
            .field("home", &self.home)
            .field("variables", &names)
            .finish_non_exhaustive()
    }
}
