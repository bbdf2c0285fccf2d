//! `brick run` without code, on a terminal: a prompt whose context lives as long as it does.

use brickwire_actions::{Commands, RunOptions, Script, types::CommandLanguage};

use super::{
    arguments::{Command, ready_cluster},
    show::{check_folder, show},
};
use crate::{
    context::Context,
    failure::Result,
    options::Format,
    repl::{self, Input, Repl, names::Names, python},
    terminal,
};

/// Whether these arguments lead to a prompt.
pub(super) fn is_asked(command: &Command, context: &Context) -> bool {
    let (format, is_filtered) = context.asked();
    command.code.is_missing()
        && repl::is_possible()
        && matches!(format, Format::Auto | Format::Table | Format::Record)
        && !is_filtered
        && !command.detach
}

/// Reads code and runs it until the person quits.
pub(super) async fn run(command: Command, context: &Context) -> Result {
    let language = command.language.clone().unwrap_or(CommandLanguage::Python);
    check_folder(&command.images)?;
    let mut repl = Repl::new("run_history", Names::none())?;
    let limit = context.limit_if_any(None);
    let cluster = ready_cluster(&command, limit, context).await?;
    let commands = context.workspace().await?.commands();
    let options = RunOptions::default().with_language(language.clone()).with_wait(limit);
    let own = match &command.context {
        Some(_) => None,
        None => Some(commands.open_context(&cluster, &options).await?),
    };
    let id =
        command.context.clone().or_else(|| own.as_ref().map(|own| own.id().to_owned())).unwrap_or_default();
    let options = options.with_context(&id);
    context.progress().clear();
    let name = language.as_str();
    context.note(&format!("{name} on cluster {cluster}. Ctrl-C cancels, Ctrl-D quits."));
    let read = read_all(&mut repl, &command, &commands, &cluster, &options, &language, context).await;
    match own {
        Some(own) if command.keep_context => {
            context.note(&format!("context {id} is kept: brick run -c {cluster} --context {id} …"));
            own.keep();
            read
        }
        Some(own) => read.and(own.destroy().await.map_err(Into::into)),
        None => read,
    }
}

async fn read_all(
    repl: &mut Repl,
    command: &Command,
    commands: &Commands,
    cluster: &str,
    options: &RunOptions,
    language: &CommandLanguage,
    context: &Context,
) -> Result {
    let name = language.as_str();
    let mut typed = String::new();
    loop {
        let prompt = match typed.is_empty() {
            true => format!("{name}> "),
            false => format!("{:>1$}> ", "-", name.len()),
        };
        match repl.read(&prompt).await? {
            Input::Line(line) if typed.is_empty() && matches!(line.trim(), "\\q" | "quit" | "exit") => {
                return Ok(());
            }
            Input::Line(line) => {
                typed.push_str(&line);
                typed.push('\n');
            }
            Input::Dropped => {
                typed.clear();
                continue;
            }
            Input::End => {
                terminal::tell("");
                return Ok(());
            }
        }
        if !is_complete(language, &typed) {
            continue;
        }
        let code = std::mem::take(&mut typed);
        if code.trim().is_empty() {
            continue;
        }
        repl.remember(&code);
        repl::run(context, async {
            Commands::check(language, &code)?;
            let ran = commands.run(cluster, &code, options).await?;
            show(ran, &command.images, context)
        })
        .await;
    }
}

fn is_complete(language: &CommandLanguage, code: &str) -> bool {
    match language {
        CommandLanguage::Python => python::is_complete(code),
        CommandLanguage::Sql => Script::is_complete(code),
        // A further line is asked for only while a bracket is open.
        _ => {
            let count = |brackets: [char; 3]| code.matches(brackets).count();
            count(['(', '[', '{']) <= count([')', ']', '}'])
        }
    }
}
