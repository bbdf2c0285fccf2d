//! `brick sql` without a statement, on a terminal: a prompt.

use std::{
    env,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use brickwire_actions::{Script, ScriptStatement};

use super::{
    arguments::Command,
    connection::Connection,
    print::{batches, changes, print},
    script::{outcome, seconds},
    warehouse,
};
use crate::{
    command_line::{self, EDITOR},
    commands::warehouses,
    context::Context,
    failure::{Failure, Result},
    options::Format,
    output::Target,
    repl::{
        self, Input, Repl,
        commands::{self, HELP, Toggle},
        names::Names,
    },
    report,
    source::{Input as File, TEXT_LIMIT},
    terminal,
};

/// Whether these arguments lead to a prompt.
pub(super) fn is_asked(command: &Command, context: &Context) -> bool {
    let (format, is_filtered) = context.asked();
    command.source.is_missing()
        && repl::is_possible()
        && matches!(format, Format::Auto | Format::Table | Format::Record)
        && !is_filtered
        && command.out.is_none()
        && !command.detach
        && !command.dry_run
        && !command.no_split
}

/// Reads statements and runs them until the person quits.
pub(super) async fn run(command: &Command, context: &Context) -> Result {
    let names = Names::of(context.silent_workspace().await?);
    let mut repl = Repl::new("sql_history", names)?;
    let workspace = context.workspace().await?;
    let warehouse = warehouse::find(command, context).await?;
    let connection = Connection::open(command, workspace, warehouse).await?;
    let mut prompt = Prompt {
        command,
        context,
        connection,
        format: context.asked().0,
        shows_time: false,
        out: None,
        last: String::new(),
    };
    context.progress().clear();
    context.note(&format!("{}. \\? for help, \\q to quit.", prompt.warehouse_title().await));
    let read = prompt.read_all(&mut repl).await;
    let closed = prompt.connection.close().await;
    read.and(closed)
}

struct Prompt<'a> {
    command: &'a Command,
    context: &'a Context,
    connection: Connection<'a>,
    format: Format,
    shows_time: bool,
    /// Where the next result goes.
    out: Option<PathBuf>,
    /// What was typed last.
    last: String,
}

impl Prompt<'_> {
    async fn read_all(&mut self, repl: &mut Repl) -> Result {
        let mut typed = String::new();
        loop {
            let prompt = self.prompt(!typed.is_empty());
            if let Some(names) = repl.names() {
                let defaults = &self.connection.defaults;
                names.defaults =
                    (defaults.catalog().map(str::to_owned), defaults.schema().map(str::to_owned));
                names.before.clone_from(&typed);
            }
            let line = match repl.read(&prompt).await? {
                Input::Line(line) => line,
                Input::Dropped => {
                    typed.clear();
                    continue;
                }
                Input::End => {
                    terminal::tell("");
                    return Ok(());
                }
            };
            let word = line.trim();
            // Inside of a string, a backslash is text.
            let is_command = word.starts_with('\\') && word != "\\g" && Script::open_at(&typed).is_none();
            if is_command || typed.trim().is_empty() && matches!(word, "quit" | "exit") {
                repl.remember(&line);
                if self.command_line(word, repl).await {
                    return Ok(());
                }
                continue;
            }
            typed.push_str(&line);
            typed.push('\n');
            let end = typed.trim_end().strip_suffix("\\g").map(str::len);
            if let Some(end) = end {
                typed.truncate(end);
            }
            if end.is_some() || Script::is_complete(&typed) {
                let text = std::mem::take(&mut typed);
                repl.remember(&text);
                self.run(&text, None).await;
                if !text.trim().is_empty() {
                    self.last = text;
                }
            }
        }
    }

    /// The prompt, or that of a further line.
    fn prompt(&self, is_further: bool) -> String {
        let defaults = &self.connection.defaults;
        let name = match (defaults.catalog(), defaults.schema()) {
            (Some(catalog), schema) => format!("{catalog}.{}", schema.unwrap_or("default")),
            (None, Some(schema)) => schema.to_owned(),
            (None, None) => "sql".to_owned(),
        };
        match is_further {
            true => format!("{:>1$}> ", "-", name.chars().count()),
            false => format!("{name}> "),
        }
    }

    async fn warehouse_title(&self) -> String {
        let id = &self.connection.warehouse;
        let found = warehouses::of(self.context).await;
        let name = match found {
            Ok(warehouses) => warehouses.get(id).await.ok().and_then(|warehouse| warehouse.name.clone()),
            Err(_) => None,
        };
        let title = name.map_or_else(|| id.clone(), |name| format!("{name} ({id})"));
        terminal::escaped_line(&title).into_owned()
    }

    /// Runs a command of the prompt's own. Returns whether it is the last one.
    async fn command_line(&mut self, line: &str, repl: &mut Repl) -> bool {
        use commands::Command as Own;
        if matches!(line, "quit" | "exit") {
            return true;
        }
        let command = match commands::parse(line) {
            Ok(command) => command,
            Err(message) => {
                terminal::tell(&format!("error: {message}"));
                return false;
            }
        };
        match command {
            Own::Quit => return true,
            Own::Help => terminal::tell(HELP),
            Own::Timing => {
                self.shows_time = !self.shows_time;
                terminal::tell(if self.shows_time { "timing is on" } else { "timing is off" });
            }
            Own::Expanded(toggle) => {
                self.format = match (toggle, self.format) {
                    (Toggle::On, _) => Format::Record,
                    (Toggle::Off, _) => Format::Table,
                    (Toggle::Auto, _) | (Toggle::Flip, Format::Record) => Format::Auto,
                    (Toggle::Flip, _) => Format::Record,
                };
                let state = if self.format == Format::Record { "on" } else { "off" };
                terminal::tell(&format!("one field a line is {state}"));
            }
            Own::Out(None) => self.out = None,
            Own::Out(Some(file)) => match self.context.output_to(Some(Path::new(&file)), true) {
                Ok(_) => {
                    terminal::tell(&format!("the next result goes to {file}"));
                    self.out = Some(file.into());
                }
                Err(failure) => report::tell(&failure),
            },
            Own::Describe(None) => self.run("SHOW TABLES", None).await,
            Own::Describe(Some(name)) => {
                let text = format!("DESCRIBE TABLE {name}");
                match Script::parse(&text).as_ref().map(Script::statements) {
                    Ok([only]) if only.title() == text => self.run(&text, None).await,
                    _ => terminal::tell(&format!("error: not the name of a table: {name}")),
                }
            }
            Own::Include(file) => match File::read(&file, TEXT_LIMIT).and_then(|input| input.text()) {
                Ok(text) => self.run(&text, Some(&file)).await,
                Err(failure) => report::tell(&failure),
            },
            Own::Edit => match edited(self.last.clone()).await {
                Ok(text) if text.trim().is_empty() => {}
                Ok(text) => {
                    terminal::tell(text.trim_end());
                    repl.remember(&text);
                    self.run(&text, None).await;
                    self.last = text;
                }
                Err(failure) => report::tell(&failure),
            },
            Own::Warehouse(name) => self.change_warehouse(&name).await,
        }
        false
    }

    async fn change_warehouse(&mut self, name: &str) {
        let context = self.context;
        let connection = &mut self.connection;
        let changed = repl::run(context, async {
            let id = warehouses::of(context).await?.find(name).await?;
            connection.change_warehouse(id).await
        });
        if changed.await {
            terminal::tell(&self.warehouse_title().await);
        }
    }

    /// Runs statements up to the first that fails.
    async fn run(&mut self, text: &str, file: Option<&str>) {
        let script = match Script::parse(text) {
            Ok(script) => script,
            Err(error) => return report::tell(&error.into()),
        };
        let count = script.statements().len();
        for (i, statement) in script.statements().iter().enumerate() {
            let began = Instant::now();
            let context = self.context;
            let work = self.execute(statement);
            let at = file
                .map(|file| format!("statement {} of {count} failed ({file}:{})", i + 1, statement.line()));
            let framed = async {
                work.await.map_err(|failure| match at {
                    Some(at) => failure.framed(at, None),
                    None => failure,
                })
            };
            if !repl::run(context, framed).await {
                return;
            }
            if self.shows_time {
                terminal::tell(&seconds(began.elapsed()));
            }
        }
    }

    async fn execute(&mut self, statement: &ScriptStatement) -> Result {
        let began = Instant::now();
        let context = self.context;
        let (output, target) = match self.out.clone() {
            Some(file) => (context.output_to(Some(&file), true)?, Target::open(Some(&file))?),
            None => (context.output_as(self.format), Target::open(None)?),
        };
        self.command.check_inline(output.format())?;
        let cap = self.command.cap(&output, &target);
        let output = output.started_at(began).with_cap(cap);
        let output = if self.format == Format::Table { output.always_a_table() } else { output };
        let request = self.connection.request(statement.text(), began, cap);
        if statement.returns_rows() && matches!(output.format(), Format::Arrow | Format::Parquet) {
            batches(request, &output, target, context).await?;
            self.out = None;
        } else {
            let mut result = request.execute().await?;
            let rows = result.manifest().total_row_count.unwrap_or_default();
            match changes(&mut result).await? {
                Some(count) => self.say(Some(count), began.elapsed()),
                None if !statement.returns_rows() && rows == 0 => self.say(None, began.elapsed()),
                None => {
                    print(result, output, target, context).await?;
                    self.out = None;
                }
            }
        }
        self.connection.defaults.follow(statement);
        if let Some(what) = statement.session().filter(|_| !self.connection.keeps_session()) {
            context.note(&format!(
                "warning: {what} ends with its SQL session; to keep it, start with --session"
            ));
        }
        Ok(())
    }

    fn say(&self, count: Option<u64>, took: Duration) {
        self.context.progress().clear();
        self.context.note(&outcome(count, took));
    }
}

/// A text as the person leaves it in their editor.
async fn edited(text: String) -> Result<String> {
    let named = |name: &str| env::var(name).ok().filter(|value| !value.trim().is_empty());
    let editor = named("VISUAL").or_else(|| named("EDITOR")).unwrap_or_else(|| EDITOR.to_owned());
    let editing = tokio::task::spawn_blocking(move || {
        // Created with mode 0600.
        let file = tempfile::Builder::new().prefix("brick-").suffix(".sql").tempfile()?;
        // Closed: an editor may replace the file, which Windows allows for no file that is open.
        let file = file.into_temp_path();
        std::fs::write(&file, text)?;
        let ended = command_line::program_for(&editor, &file).status();
        let ended =
            ended.map_err(|error| Failure::local(format!("cannot start the editor: {error}: {editor}")))?;
        match ended.success() {
            true => Ok(std::fs::read_to_string(&file)?),
            false => Err(Failure::local(format!("the editor failed, so nothing is run: {ended}"))),
        }
    });
    editing.await.map_err(|error| Failure::local(format!("cannot start the editor: {error}")))?
}
