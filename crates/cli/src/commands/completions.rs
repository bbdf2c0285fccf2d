//! `brick completions`: the script for a shell's startup file. `candidates.rs` has what is completed.

use clap::builder::PossibleValuesParser;

use crate::{context::Context, failure::Result, shells::SHELLS};

/// Print a script that makes your shell complete commands, profiles, and names of resources
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  brick completions bash >> ~/.bashrc
  brick completions fish > ~/.config/fish/completions/brick.fish")]
pub(crate) struct Command {
    /// Shell to print the script for
    #[arg(value_parser = PossibleValuesParser::new(SHELLS.names()))]
    shell: String,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let mut script = Vec::new();
    if let Some(shell) = SHELLS.completer(&command.shell) {
        shell.write_registration("COMPLETE", "brick", "brick", "brick", &mut script)?;
    }
    Ok(context.output().bytes(&script)?)
}
