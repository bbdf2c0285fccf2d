//! `brick completions`: the script for a shell's startup file. `candidates.rs` has what is completed.

use clap_complete::env::Shells;

use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// Print a script that makes your shell complete commands, profiles, and names of resources
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  brick completions bash >> ~/.bashrc
  brick completions fish > ~/.config/fish/completions/brick.fish")]
pub(crate) struct Command {
    /// bash, zsh, fish, powershell or elvish
    #[arg(value_name = "SHELL")]
    shell: String,
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    let shells = Shells::builtins();
    let Some(shell) = shells.completer(&command.shell) else {
        let known: Vec<_> = shells.names().collect();
        return Err(Failure::usage(format!("unknown shell: {:?}", command.shell))
            .with_hint(format!("use one of {}", known.join(", "))));
    };
    let mut script = Vec::new();
    shell.write_registration("COMPLETE", "brick", "brick", "brick", &mut script)?;
    Ok(context.output().bytes(&script)?)
}
