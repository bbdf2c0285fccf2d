//! Opens a URL in a browser of this machine, if there is one.

#[cfg(unix)]
use std::os::unix::process::CommandExt;
use std::{
    env,
    process::{self, Stdio},
};

use brickwire_actions::Environment;

/// The value of BROWSER that stands for no browser.
const NO_BROWSER: &str = "none";

/// Whether a browser of this machine is likely to be seen by the user. The one that BROWSER names is, even over SSH:
/// editors set it to a program that opens the URL on the user's own machine.
pub(super) fn is_available(environment: &Environment) -> bool {
    let is_set = |names: &[&str]| names.iter().any(|name| environment.get(name).is_some());
    match environment.get("BROWSER") {
        Some(program) => program != NO_BROWSER,
        None if is_set(&["SSH_CONNECTION"]) => false,
        None if cfg!(target_os = "linux") => {
            is_set(&["DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME", "WSL_INTEROP"])
        }
        None => true,
    }
}

/// Starts of the names of variables that browsers and the programs which open them have for themselves.
const BROWSERS: [&str; 7] =
    ["BROWSER", "CHROM", "FIREFOX", "HYPRLAND_", "I3SOCK", "SWAYSOCK", "SESSION_MANAGER"];

/// Opens a URL in the browser. The URL must not contain secrets: other users can see the arguments of a process.
pub(super) fn open(address: &str) -> bool {
    let chosen = env::var_os("BROWSER").filter(|program| !program.is_empty()).map(|program| {
        let mut browser = process::Command::new(program);
        browser.arg(address);
        browser
    });
    // A browser runs other people's code: it inherits no credential.
    let environment = Environment::from_process().for_program(&BROWSERS);
    chosen.into_iter().chain(open::commands(address)).any(|mut browser| {
        browser.env_clear().envs(environment.variables());
        browser.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        // It outlives this program, even one that is interrupted.
        #[cfg(unix)]
        browser.process_group(0);
        browser.spawn().is_ok()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_browser_is_looked_for_where_the_user_sits() {
        let on_linux = cfg!(target_os = "linux");
        for (variables, expected) in [
            (&[][..], !on_linux),
            (&[("DISPLAY", ":0")], true),
            (&[("WAYLAND_DISPLAY", "wayland-0")], true),
            (&[("WSL_DISTRO_NAME", "Ubuntu")], true),
            (&[("DISPLAY", "localhost:10.0"), ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")], false),
            (&[("BROWSER", "firefox"), ("SSH_CONNECTION", "10.0.0.1 1 10.0.0.2 22")], true),
            (&[("BROWSER", "none"), ("DISPLAY", ":0")], false),
            (&[("BROWSER", ""), ("DISPLAY", ":0")], true),
        ] {
            assert_eq!(is_available(&Environment::new(variables.iter().copied())), expected, "{variables:?}");
        }
    }
}
