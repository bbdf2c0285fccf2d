//! `brick skill`: what an agent has to know about brick, as a skill file.

use crate::{context::Context, failure::Result};

/// Print a skill file that teaches an agent how to use brick
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  mkdir -p ~/.claude/skills/brick && brick skill > ~/.claude/skills/brick/SKILL.md")]
pub(crate) struct Command {}

pub(crate) async fn run(_: Command, context: &Context) -> Result {
    Ok(context.output().bytes(include_str!("skill.md").as_bytes())?)
}
