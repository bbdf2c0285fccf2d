//! Environment variables and the home directory, as a value.

use std::{
    collections::BTreeMap,
    fmt,
    path::{Path, PathBuf},
};

use brickwire_wire::redact;

/// Variables that any program may need: its user, language, folders, screen, network, and certificates. Names are compared
/// without regard to case: proxies have names in lower case, and those of Windows are in any.
const INHERITED: [&str; 43] = [
    "ALL_PROXY",
    "ALLUSERSPROFILE",
    "APPDATA",
    "COLORTERM",
    "COMPUTERNAME",
    "COMSPEC",
    "CURL_CA_BUNDLE",
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "HOME",
    "HOMEDRIVE",
    "HOMEPATH",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "LANG",
    "LANGUAGE",
    "LOCALAPPDATA",
    "LOGNAME",
    "NO_PROXY",
    "PATH",
    "PATHEXT",
    "PROGRAMDATA",
    "PWD",
    "REQUESTS_CA_BUNDLE",
    "SECURITYSESSIONID",
    "SHELL",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "SYSTEMDRIVE",
    "SYSTEMROOT",
    "TEMP",
    "TERM",
    "TMP",
    "TMPDIR",
    "TZ",
    "USER",
    "USERDOMAIN",
    "USERNAME",
    "USERPROFILE",
    "VIRTUAL_ENV",
    "WAYLAND_DISPLAY",
    "WINDIR",
    "XAUTHORITY",
];
/// Starts of the names of more such variables: of the system, of the desktop, and of Python, in which the Azure CLI is
/// written.
const INHERITED_FAMILIES: [&str; 20] = [
    "COMMONPROGRAM",
    "CONDA_",
    "DESKTOP_",
    "DYLD_",
    "FLATPAK_",
    "GDK_",
    "GNOME_",
    "GTK_",
    "KDE_",
    "LC_",
    "LD_",
    "MOZ_",
    "NIX_",
    "PROGRAMFILES",
    "PYTHON",
    "QT_",
    "SNAP",
    "WSL",
    "XCURSOR_",
    "XDG_",
];

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

    /// The variables and home directory of this process, without variables that aren't Unicode. On Windows, where case
    /// doesn't tell variables apart, their names are in upper case: `Path` is `PATH`.
    pub fn from_process() -> Self {
        let text = |(k, v): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name(k.into_string().ok()?, cfg!(windows)), v.into_string().ok()?))
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

    /// The environment for another program: what programs need in general, and the variables whose names begin with one
    /// of `own`, which are those of the program itself. A credential of another kind is none of its business, so it
    /// inherits nothing else, and no variable whose name is that of a secret.
    ///
    /// ```
    /// use brickwire_actions::Environment;
    /// let all = [("HOME", "/home/u"), ("AZURE_CONFIG_DIR", "/c"), ("AZURE_PASSWORD", "s"), ("DATABRICKS_TOKEN", "t")];
    /// let azure = Environment::new(all).for_program(&["AZURE_"]);
    /// assert_eq!(azure.variables().map(|(name, _)| name).collect::<Vec<_>>(), ["AZURE_CONFIG_DIR", "HOME"]);
    /// ```
    #[must_use]
    pub fn for_program(&self, own: &[&str]) -> Self {
        let mut environment = self.clone();
        environment.variables.retain(|name, _| {
            let upper = name.to_ascii_uppercase();
            let has_start = |starts: &[&str]| starts.iter().any(|start| upper.starts_with(start));
            INHERITED.contains(&upper.as_str())
                || own.contains(&upper.as_str())
                || (has_start(&INHERITED_FAMILIES) || has_start(own)) && !redact::is_secret_name(name)
        });
        environment
    }

    /// All variables, for starting another program.
    pub fn variables(&self) -> impl Iterator<Item = (&str, &str)> {
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
        std::env::split_paths(self.get("PATH")?)
            .flat_map(|dir| suffixes(cfg!(windows)).iter().map(move |end| dir.join(format!("{name}{end}"))))
            .find(|path| is_executable(path))
    }
}

/// The variable that names the home directory.
pub(crate) const HOME: &str = if cfg!(windows) { "USERPROFILE" } else { "HOME" };

/// The name by which a variable is found.
fn name(given: String, is_windows: bool) -> String {
    if is_windows { given.to_ascii_uppercase() } else { given }
}

/// What the file name of a program ends with. The Azure CLI is `az.cmd` on Windows.
fn suffixes(is_windows: bool) -> &'static [&'static str] {
    if is_windows { &[".exe", ".cmd", ".bat"] } else { &[""] }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_variables_have_one_case_where_case_does_not_count() {
        assert_eq!(["Path", "http_proxy"].map(|given| name(given.to_owned(), true)), ["PATH", "HTTP_PROXY"]);
        assert_eq!(["Path", "http_proxy"].map(|given| name(given.to_owned(), false)), ["Path", "http_proxy"]);
    }

    #[test]
    fn a_program_is_found_by_the_names_of_the_system() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["az", "az.cmd", "az.ps1"] {
            let file = folder.path().join(name);
            std::fs::write(&file, "").unwrap();
            #[cfg(unix)]
            std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        }
        let environment = Environment::default().with("PATH", folder.path());
        let expected = if cfg!(windows) { "az.cmd" } else { "az" };
        assert_eq!(environment.find_program("az"), Some(folder.path().join(expected)));
        assert_eq!(environment.find_program("databricks"), None);
        assert_eq!(suffixes(true), [".exe", ".cmd", ".bat"]);
    }
}
