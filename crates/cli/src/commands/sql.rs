//! `brick sql`: runs statements and prints or saves their rows.

mod arguments;
mod connection;
mod print;
mod prompt;
mod results;
mod script;
mod warehouse;

use brickwire_actions::{Defaults, Script, ScriptStatement, Statement, refuse_notebook};

use crate::{
    context::Context,
    failure::{Failure, Place, Result},
    options::Format,
    output::{About, Target, json},
};
pub(crate) use arguments::{Command, parameter};
use print::batches;
pub(crate) use print::print;

pub(crate) async fn run(mut command: Command, context: &Context) -> Result {
    command.is_previewed = context.is_agent() && command.out.is_none() && !command.detach;
    if prompt::is_asked(&command, context) {
        return prompt::run(&command, context).await;
    }
    // All that can be wrong locally is checked before the first request.
    let text = command.source.read_any("statement")?;
    if command.no_split {
        command.number_file();
        context.check_reads(&text).await?;
        return single(&command, &text, None, context).await;
    }
    let script =
        Script::parse(&text).map_err(|error| script::unsplit(error, &text, command.file().as_deref()))?;
    if command.dry_run {
        if !command.session {
            script.check_sessions()?;
        }
        return script::list(&script, context);
    }
    check_reads(&command, &text, &script, context).await?;
    match script.statements() {
        [_] if command.session => script::run(&command, &script, context).await,
        // A text of one statement is sent byte for byte; a notebook is not a statement.
        [only] => {
            command.number_file();
            let text = if refuse_notebook(&text).is_ok() { text.as_str() } else { only.text() };
            Statement::check(text, &command.parameters)?;
            single(&command, text, Some(only), context).await
        }
        [] => Ok(Statement::check(&text, &command.parameters)?),
        _ => script::run(&command, &script, context).await,
    }
}

/// Runs one statement.
async fn single(command: &Command, text: &str, place: Option<&ScriptStatement>, context: &Context) -> Result {
    let output = context.output_to(command.out.as_deref(), !command.detach)?;
    if !command.detach {
        output.check_rows()?;
    }
    command.check_inline(output.format())?;
    let target = Target::open(command.out.as_deref())?;
    let cap = command.cap(&output, &target);
    let output = output.with_cap(cap);
    if let Some(what) = place.and_then(ScriptStatement::session) {
        context.note(&format!(
            "warning: {what} ends with its SQL session; to keep it, run a script with --session"
        ));
    }
    // Finding the warehouse and the statement share the time.
    if let Some(timeout) = command.timeout {
        context.limit(timeout);
    }
    let workspace = context.workspace().await?;
    let warehouse = warehouse::find(command, context).await?;
    let output = output.with_about(About {
        limits: command.limits(),
        is_safe_to_repeat: Statement::check_reads(text).is_ok(),
        warehouse_id: Some(warehouse.clone()),
    });
    let mut statement = command.statement(&workspace, &warehouse, text, cap);
    statement = Defaults::new(command.catalog.clone(), command.schema.clone()).apply(statement);
    if let (Some(timeout), Some(deadline)) = (command.timeout, context.deadline()) {
        statement = statement.with_deadline(timeout).until(deadline);
    }
    if command.detach {
        return context.record(&json::without_links(statement.submit().await?.raw()));
    }
    let ran = match output.format() {
        Format::Arrow | Format::Parquet => batches(statement, &output, target, context).await.map(drop),
        _ => match statement.execute().await {
            Ok(result) => return print(result, output, target, context).await,
            Err(error) => Err(error.into()),
        },
    };
    ran.map_err(|failure: Failure| match place {
        Some(place) => at(failure, place, command.file()),
        None => failure,
    })
}

/// Refuses a text with a statement that may change something, in read-only mode, and says where that is.
async fn check_reads(command: &Command, text: &str, script: &Script, context: &Context) -> Result {
    let statements = script.statements();
    for (i, statement) in statements.iter().enumerate() {
        if let Err(refusal) = context.check_reads(statement.text()).await {
            // The lines of the whole text, unless it is a notebook.
            let whole =
                if refuse_notebook(text).is_ok() { context.check_reads(text).await.err() } else { None };
            return Err(whole.unwrap_or(refusal).at(Place {
                file: command.file(),
                line: Some(statement.line()),
                column: Some(statement.column()),
                index: Some(i + 1),
                count: Some(statements.len()),
            }));
        }
    }
    Ok(())
}

/// Adds the place of the only statement, or of what in it the service names.
fn at(failure: Failure, statement: &ScriptStatement, file: Option<String>) -> Failure {
    let named = statement.place_in(&failure.message()).map(|(place, _)| place);
    failure.at(Place {
        file,
        line: Some(named.map_or(statement.line(), |place| place.line)),
        column: Some(named.map_or(statement.column(), |place| place.column)),
        index: Some(1),
        count: Some(1),
    })
}
