//! How a shell asks for completions, and how it takes them. `candidates.rs` has what is completed.
//!
//! A candidate may be any name in the workspace, so it must never be evaluated: a cluster called `x$(touch y)` completes
//! to `x\$\(touch\ y\)`. What is asked depends on the shell:
//!
//! | shell | is given | quotes what it inserts |
//! |---|---|---|
//! | bash | the line up to the cursor, because its own words are split at `=` and `:` | no: we do, as its `printf %q` |
//! | zsh | the words as they were typed | yes |
//! | fish | the last word as it was typed | yes |
//! | PowerShell | the line up to the cursor | no: we do, in single quotes |
//!
//! Candidates with control characters are left out: they can't be typed, and a line break would end a candidate.

mod line;

use std::{
    env,
    ffi::OsString,
    io::{Result, Write},
    path::Path,
};

use clap_complete::{
    CompletionCandidate,
    engine::complete,
    env::{Elvish, EnvCompleter, Fish, Shells, Zsh},
};

use crate::terminal::is_control;
use line::{Quote, Typed};

/// The shells, instead of clap's.
pub(crate) const SHELLS: Shells<'static> =
    Shells(&[&QuotingBash, &Elvish, &UnquotingFish, &QuotingPowershell, &UnquotingZsh]);

/// The variable with the line up to the cursor.
const LINE: &str = "_BRICK_LINE";
/// The variable with the characters at which bash splits words.
const BREAKS: &str = "_BRICK_BREAKS";

/// The words of the command line that is being completed, as far as they have been typed.
pub(crate) fn words() -> Vec<String> {
    match env::var(LINE) {
        Ok(line) => {
            let quote = match env::var("COMPLETE").as_deref() {
                Ok("powershell") => Quote::Powershell,
                _ => Quote::Bash,
            };
            let typed = Typed::read(&line, "", quote);
            typed.words().iter().map(|word| word.to_string_lossy().into_owned()).collect()
        }
        // The others hand over the words, behind `--`.
        Err(_) => env::args().skip_while(|word| word != "--").skip(1).collect(),
    }
}

/// The candidates for the last word, without those that can't be typed.
fn candidates(
    command: &mut clap::Command,
    words: Vec<OsString>,
    folder: Option<&Path>,
) -> Result<Vec<CompletionCandidate>> {
    let last = words.len().saturating_sub(1);
    let mut found = complete(command, words, last, folder)?;
    found.retain(|candidate| candidate.get_value().to_str().is_some_and(|value| !value.contains(is_control)));
    Ok(found)
}

fn value(candidate: &CompletionCandidate) -> &str {
    candidate.get_value().to_str().unwrap_or_default()
}

/// The first line of a candidate's help.
fn help(candidate: &CompletionCandidate) -> String {
    let help = candidate.get_help().map(ToString::to_string).unwrap_or_default();
    help.lines().next().unwrap_or_default().replace(is_control, " ")
}

fn typed(breaks: &str, quote: Quote) -> Typed {
    Typed::read(&env::var(LINE).unwrap_or_default(), breaks, quote)
}

/// Bash takes candidates as they are: they have to be quoted, and to begin where readline's word begins.
struct QuotingBash;

impl EnvCompleter for QuotingBash {
    fn name(&self) -> &'static str {
        "bash"
    }

    fn is(&self, name: &str) -> bool {
        name == "bash"
    }

    fn write_registration(
        &self,
        variable: &str,
        _: &str,
        program: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> Result<()> {
        let completer = Quote::Bash.quoted(completer, None);
        // `read` instead of word splitting: the shell must not take a candidate for a pattern of file names.
        write!(
            out,
            r#"_{program}_complete() {{
    local candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        COMPREPLY+=("$candidate")
    done < <({variable}=bash {LINE}="${{COMP_LINE:0:COMP_POINT}}" {BREAKS}="$COMP_WORDBREAKS" {completer} -- {program} 2>/dev/null)
    if [[ ${{#COMPREPLY[@]}} -eq 1 && ${{COMPREPLY[0]}} == *[=/] ]]; then
        compopt -o nospace 2>/dev/null
    fi
}}
complete -o bashdefault -o nosort -F _{program}_complete {program} 2>/dev/null ||
    complete -o bashdefault -F _{program}_complete {program}
"#
        )
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        _: Vec<OsString>,
        folder: Option<&Path>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let typed = typed(&env::var(BREAKS).unwrap_or_default(), Quote::Bash);
        for candidate in candidates(command, typed.words(), folder)? {
            if let Some(text) = typed.rest_of(value(&candidate)) {
                writeln!(out, "{text}")?;
            }
        }
        Ok(())
    }
}

/// Zsh quotes what it inserts, but hands over the words as they were typed.
struct UnquotingZsh;

impl EnvCompleter for UnquotingZsh {
    fn name(&self) -> &'static str {
        "zsh"
    }

    fn is(&self, name: &str) -> bool {
        name == "zsh"
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        program: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> Result<()> {
        Zsh.write_registration(variable, name, program, completer, out)
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        words: Vec<OsString>,
        folder: Option<&Path>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let index = env::var("_CLAP_COMPLETE_INDEX").ok().and_then(|index| index.parse().ok());
        let words = words.iter().take(index.map_or(usize::MAX, |index: usize| index + 1));
        let mut words: Vec<_> = words.map(|word| unquoted(word, Quote::Bash)).collect();
        if index == Some(words.len()) {
            words.push(OsString::new());
        }
        for candidate in candidates(command, words, folder)? {
            let escaped = |text: &str| text.replace('\\', r"\\");
            let help = escaped(&help(&candidate));
            writeln!(out, "{}:{help}", escaped(value(&candidate)).replace(':', r"\:"))?;
        }
        Ok(())
    }
}

/// Fish quotes what it inserts, but hands over the last word as it was typed.
struct UnquotingFish;

impl EnvCompleter for UnquotingFish {
    fn name(&self) -> &'static str {
        "fish"
    }

    fn is(&self, name: &str) -> bool {
        name == "fish"
    }

    fn write_registration(
        &self,
        variable: &str,
        name: &str,
        program: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> Result<()> {
        Fish.write_registration(variable, name, program, completer, out)
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        mut words: Vec<OsString>,
        folder: Option<&Path>,
        out: &mut dyn Write,
    ) -> Result<()> {
        if let Some(last) = words.last_mut() {
            *last = unquoted(last, Quote::Fish);
        }
        for candidate in candidates(command, words, folder)? {
            writeln!(out, "{}\t{}", value(&candidate), help(&candidate))?;
        }
        Ok(())
    }
}

/// PowerShell takes candidates as they are, in place of the whole word.
struct QuotingPowershell;

impl EnvCompleter for QuotingPowershell {
    fn name(&self) -> &'static str {
        "powershell"
    }

    fn is(&self, name: &str) -> bool {
        matches!(name, "powershell" | "pwsh" | "powershell_ise")
    }

    fn write_registration(
        &self,
        variable: &str,
        _: &str,
        program: &str,
        completer: &str,
        out: &mut dyn Write,
    ) -> Result<()> {
        let completer = format!("'{}'", completer.replace('\'', "''"));
        // The line is handed over in a variable, so that nothing in it is evaluated.
        write!(
            out,
            r#"Register-ArgumentCompleter -Native -CommandName {program} -ScriptBlock {{
    param($wordToComplete, $commandAst, $cursorPosition)

    $line = $commandAst.Extent.Text
    $end = [math]::Min($cursorPosition - $commandAst.Extent.StartOffset, $line.Length)
    $blank = if ($wordToComplete -eq '' -and $cursorPosition -gt $commandAst.Extent.EndOffset) {{ ' ' }} else {{ '' }}
    $env:{LINE} = $line.Substring(0, $end) + $blank
    $env:{variable} = 'powershell'
    try {{ $found = & {completer} -- {program} }} finally {{ Remove-Item Env:{variable}, Env:{LINE} }}
    $found | ForEach-Object {{
        $text, $shown, $help = $_.Split("`t")
        [System.Management.Automation.CompletionResult]::new($text, $shown, 'ParameterValue', $help)
    }}
}}
"#
        )
    }

    fn write_complete(
        &self,
        command: &mut clap::Command,
        _: Vec<OsString>,
        folder: Option<&Path>,
        out: &mut dyn Write,
    ) -> Result<()> {
        let typed = typed("", Quote::Powershell);
        for candidate in candidates(command, typed.words(), folder)? {
            let shown = value(&candidate);
            // Neither of the two may be empty.
            let help = Some(help(&candidate)).filter(|help| !help.trim().is_empty());
            let help = help.as_deref().unwrap_or(shown);
            writeln!(out, "{}\t{shown}\t{help}", Quote::Powershell.quoted(shown, None))?;
        }
        Ok(())
    }
}

fn unquoted(word: &OsString, quote: Quote) -> OsString {
    word.to_str().map_or_else(|| word.clone(), |word| Typed::read(word, "", quote).last().into())
}
