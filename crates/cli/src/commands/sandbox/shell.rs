//! How a shell sets and removes variables.

use clap::ValueEnum;

use super::environment::Changes;

/// What evaluates the lines that are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Shell {
    /// sh, bash, and zsh
    #[value(aliases = ["bash", "zsh"])]
    Sh,
    /// fish
    Fish,
    /// PowerShell
    #[value(alias = "pwsh")]
    Powershell,
    /// Lines of NAME=VALUE, which only set variables
    Env,
}

impl Shell {
    /// One line for each change.
    pub(super) fn lines(self, changes: &Changes) -> String {
        changes.iter().filter_map(|(name, value)| self.line(name, value.as_deref())).collect()
    }

    fn line(self, name: &str, value: Option<&str>) -> Option<String> {
        Some(match (self, value) {
            (Self::Sh, Some(value)) => format!("export {name}={}\n", quoted(value, r"'\''")),
            (Self::Sh, None) => format!("unset {name}\n"),
            (Self::Fish, Some(value)) => {
                let value = quoted(&value.replace('\\', r"\\"), r"\'");
                format!("set -gx {name} {value}\n")
            }
            (Self::Fish, None) => format!("set -e {name}\n"),
            (Self::Powershell, Some(value)) => format!("$env:{name} = '{}'\n", value.replace('\'', "''")),
            (Self::Powershell, None) => format!("Remove-Item Env:{name} -ErrorAction Ignore\n"),
            (Self::Env, Some(value)) => format!("{name}={value}\n"),
            (Self::Env, None) => return None,
        })
    }
}

/// The value as one word: in quotes if a character could mean something else to the shell.
fn quoted(value: &str, quote: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_./:,@%+".contains(&byte);
    if !value.is_empty() && value.bytes().all(is_plain) {
        return value.to_owned();
    }
    format!("'{}'", value.replace('\'', quote))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_gets_its_own_lines() {
        let changes = Changes::from([("A", Some("http://127.0.0.1:1".to_owned())), ("B", None)]);
        for (shell, lines) in [
            (Shell::Sh, "export A=http://127.0.0.1:1\nunset B\n"),
            (Shell::Fish, "set -gx A http://127.0.0.1:1\nset -e B\n"),
            (Shell::Powershell, "$env:A = 'http://127.0.0.1:1'\nRemove-Item Env:B -ErrorAction Ignore\n"),
            (Shell::Env, "A=http://127.0.0.1:1\n"),
        ] {
            assert_eq!(shell.lines(&changes), lines);
        }
    }

    #[test]
    fn a_token_of_any_characters_stays_one_word() {
        let changes = Changes::from([("A", Some(r"a'$(b)\".to_owned()))]);
        assert_eq!(Shell::Sh.lines(&changes), "export A='a'\\''$(b)\\'\n");
        assert_eq!(Shell::Fish.lines(&changes), "set -gx A 'a\\'$(b)\\\\'\n");
        assert_eq!(Shell::Powershell.lines(&changes), "$env:A = 'a''$(b)\\'\n");
        assert_eq!(Shell::Env.lines(&changes), "A=a'$(b)\\\n");
    }
}
