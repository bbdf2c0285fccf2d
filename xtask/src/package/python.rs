//! The virtual environment with the tools that build and check a wheel, all of which come from PyPI.

use std::{
    env,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use anyhow::{Context, Result};

use super::place::Place;
use crate::process::{capture, finish};

/// In the versions that are known to work together.
const TOOLS: [&str; 3] = ["maturin==1.16.0", "twine==7.0.0", "check-wheel-contents==0.6.3"];

/// The linker that takes a glibc version, and the program that tells which one is needed.
const LINUX_TOOLS: [&str; 2] = ["ziglang==0.15.2", "auditwheel==6.8.2"];

/// A virtual environment.
pub(crate) struct Environment {
    folder: PathBuf,
}

/// The environment with all tools, made if it isn't there.
pub(crate) fn environment(place: &Place) -> Result<Environment> {
    let environment = Environment::in_folder(&place.work.join("python"))?;
    let mut pip = environment.pip(&["install", "--quiet"]);
    pip.args(TOOLS).args(if place.is_for("linux") { &LINUX_TOOLS[..] } else { &[] });
    finish(&mut pip).context("the tools that build and check a wheel cannot be installed from PyPI")?;
    Ok(environment)
}

impl Environment {
    /// The environment in the folder, made if it isn't there.
    pub(crate) fn in_folder(folder: &Path) -> Result<Self> {
        let environment = Self { folder: folder.to_owned() };
        if !environment.program("python").exists() {
            let python = system_python().context("a package needs Python 3.8 or newer: install python3")?;
            finish(Command::new(python).args(["-m", "venv", "--clear"]).arg(folder))?;
        }
        Ok(environment)
    }

    /// The folder with its programs.
    pub(crate) fn programs(&self) -> PathBuf {
        self.folder.join(if cfg!(windows) { "Scripts" } else { "bin" })
    }

    /// One of its programs.
    pub(crate) fn program(&self, name: &str) -> PathBuf {
        self.programs().join(format!("{name}{}", env::consts::EXE_SUFFIX))
    }

    /// One of the modules that come with Python or with a tool. What it starts finds the environment's programs first:
    /// maturin looks for a `python3` that has zig.
    pub(crate) fn module(&self, name: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(self.program("python"));
        command.args(["-m", name]).args(arguments);
        let others = env::var_os("PATH").unwrap_or_default();
        if let Ok(path) = env::join_paths([self.programs()].into_iter().chain(env::split_paths(&others))) {
            command.env("PATH", path);
        }
        command
    }

    /// A line of Python, with its arguments to follow.
    pub(crate) fn code(&self, line: &str) -> Command {
        let mut command = Command::new(self.program("python"));
        command.args(["-c", line]);
        command
    }

    /// pip, without a word about itself.
    pub(crate) fn pip(&self, arguments: &[&str]) -> Command {
        let mut command = self.module("pip", arguments);
        command.arg("--disable-pip-version-check");
        command
    }

    /// Unpacks a wheel; it is a zip.
    pub(crate) fn unzip(&self, file: &Path, folder: &Path) -> Result<()> {
        finish(self.module("zipfile", &["-e"]).arg(file).arg(folder))
    }

    /// What `auditwheel` says of the wheel, as JSON.
    pub(crate) fn audit(&self, wheel: &Path) -> Result<String> {
        capture(self.module("auditwheel", &["show", "--json"]).arg(wheel))
    }
}

/// The name of the system's Python; on Windows it is called `python`.
fn system_python() -> Option<&'static str> {
    ["python3", "python"].into_iter().find(|name| {
        let probe = "import sys; sys.exit(sys.version_info < (3, 8))";
        let mut command = Command::new(name);
        command.args(["-c", probe]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    })
}
