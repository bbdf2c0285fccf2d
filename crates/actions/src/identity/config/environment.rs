//! What is read of the process's surroundings, as a value: variables and the home directory.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

/// Environment variables and the home directory. [`Config`](crate::Config) reads nothing else of the process, so a test
/// (or a server that serves many users) gives its own.
///
/// ```
/// use brickwire_actions::{Config, Environment};
/// let environment = Environment::new([("DATABRICKS_HOST", "x.cloud.databricks.com"), ("DATABRICKS_TOKEN", "dapi-1")]);
/// let config = Config::resolve(&[], &environment)?;
/// assert_eq!(config.connection()?.host().as_str(), "https://x.cloud.databricks.com");
/// # Ok::<(), brickwire_actions::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
    home: Option<PathBuf>,
    /// Whether it is the process's own.
    #[cfg(feature = "keyring")]
    real: bool,
}

impl Environment {
    /// These variables and no home directory.
    pub fn new<K: Into<String>, V: Into<String>>(variables: impl IntoIterator<Item = (K, V)>) -> Self {
        let variables = variables.into_iter().map(|(k, v)| (k.into(), v.into())).collect();
        Self { variables, ..Self::default() }
    }

    /// The process's variables and home directory. Variables that aren't Unicode are left out.
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

    /// With another home directory: where `.databrickscfg` is.
    pub fn with_home(mut self, home: impl Into<PathBuf>) -> Self {
        self.home = Some(home.into());
        #[cfg(feature = "keyring")]
        {
            self.real = false;
        }
        self
    }

    /// Whether it is the process's own, with all that belongs to its user.
    #[cfg(feature = "keyring")]
    pub(crate) fn is_real(&self) -> bool {
        self.real
    }

    /// With one more variable, if its value is Unicode.
    pub(crate) fn with(mut self, name: &str, value: impl Into<PathBuf>) -> Self {
        if let Ok(value) = value.into().into_os_string().into_string() {
            self.variables.insert(name.to_owned(), value);
        }
        self
    }

    /// A variable's value; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|v| !v.is_empty())
    }

    /// The home directory.
    pub fn home(&self) -> Option<&Path> {
        self.home.as_deref()
    }

    /// All variables, for a program that is started.
    pub(crate) fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(k, v)| (k.as_str(), v.as_str()))
    }

    /// The same without the variables of these names.
    pub(crate) fn without(&self, dropped: impl Fn(&str) -> bool) -> Self {
        let mut other = self.clone();
        other.variables.retain(|name, _| !dropped(name));
        other
    }

    /// A path as people write it: `~/` is the home directory.
    pub(crate) fn expand(&self, path: &str) -> PathBuf {
        match (path.strip_prefix("~/").or_else(|| path.strip_prefix("~\\")), &self.home) {
            (Some(rest), Some(home)) => home.join(rest),
            _ => PathBuf::from(path),
        }
    }

    /// Where a program is, by the PATH variable.
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

/// Names only: any variable may hold a secret.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.variables.keys().filter(|k| k.starts_with("DATABRICKS_")).collect::<Vec<_>>();
        f.debug_struct("Environment")
            .field("home", &self.home)
            .field("variables", &names)
            .finish_non_exhaustive()
    }
}
