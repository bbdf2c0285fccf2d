//! `brick completions`: the line that a shell's start-up file needs.

use clap_complete::env::Shells;

use crate::{
    context::Context,
    failure::{Failure, Result},
};

/// Print the line that makes a shell complete commands, clusters, warehouses and profiles
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
            .with_hint(format!("it is one of {}", known.join(", "))));
    };
    let mut script = Vec::new();
    shell.write_registration("COMPLETE", "brick", "brick", "brick", &mut script)?;
    Ok(context.output().bytes(&script)?)
}
