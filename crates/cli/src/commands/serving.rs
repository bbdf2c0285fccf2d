//! `brick serving`: model serving endpoints.

mod answer;

use std::{ffi::OsStr, time::Duration};

use brickwire_actions::{Serving, WaitOptions, Workspace, types::ServingEndpointDetailed};
use clap::Subcommand;
use clap_complete::{ArgValueCompleter, CompletionCandidate};
use serde_json::json;

use crate::{
    candidates::live,
    context::Context,
    failure::{Failure, Result},
    options::{NamePart, Timeout, Waiting, duration},
    output::Column,
    source::json_data,
};
use answer::Question;

/// Model serving endpoints: list, get, query, create, wait, logs
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// List all serving endpoints, those of foundation models included
    #[command(after_help = "Example:\n  brick serving list -o table")]
    List(NamePart),
    /// Show one endpoint
    #[command(after_help = "Example:\n  brick serving get churn")]
    Get(Which),
    /// Send a request to an endpoint's model and print its answer
    #[command(after_help = "\
The request is sent once, because a model may cost and an agent may act. With --message, the text of the answer is
printed, unless -o json is given.

Examples:
  brick serving query databricks-example-chat --message 'What is a lakehouse?'
  brick serving query churn --data '{\"dataframe_records\": [{\"age\": 42}]}'
  brick serving query churn --data @request.json --jq .predictions")]
    Query {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        question: Question,
        /// Stop waiting for the answer after this time, such as 90s or 5m; by default after 10 minutes of silence
        #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
        timeout: Option<Duration>,
    },
    /// Create an endpoint and wait until it is ready
    #[command(after_help = "\
The document is the body of the request to create an endpoint, with `name` and `config`.

Example:
  brick serving create --data @endpoint.json --timeout 1h")]
    Create {
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Replace what an endpoint serves and wait until it is ready
    #[command(after_help = "\
The document has `served_entities` and, for several of them, `traffic_config`. The old configuration serves until the
new one is ready.

Example:
  brick serving update-config churn --data @config.json")]
    UpdateConfig {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        data: Data,
        #[command(flatten)]
        waiting: Waiting,
    },
    /// Wait until an endpoint is ready; exits with 8 if its update fails
    #[command(after_help = "Example:\n  brick serving wait churn --timeout 1h")]
    Wait {
        #[command(flatten)]
        which: Which,
        #[command(flatten)]
        timeout: Timeout,
    },
    /// Print the latest log lines of a served entity, or with --build the log of its container's build
    #[command(
        after_help = "Examples:\n  brick serving logs churn\n  brick serving logs churn churn-3 --build"
    )]
    Logs {
        #[command(flatten)]
        which: Which,
        /// Name of the served entity; not needed if the endpoint has only one
        #[arg(value_name = "ENTITY")]
        entity: Option<String>,
        /// Print the log of the build
        #[arg(long)]
        build: bool,
    },
    /// Delete an endpoint; requests that it is answering fail
    #[command(after_help = "Example:\n  brick serving delete churn")]
    Delete(Which),
}

#[derive(Debug, clap::Args)]
pub(crate) struct Which {
    /// Name of the endpoint
    #[arg(value_name = "ENDPOINT", add = ArgValueCompleter::new(candidates))]
    endpoint: String,
}

#[derive(Debug, clap::Args)]
pub(crate) struct Data {
    /// The JSON document, @FILE to read it from a file, or - for standard input
    #[arg(long, value_name = "JSON")]
    data: String,
}

pub(super) const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("READY", "/state/ready"),
    ("UPDATE", "/state/config_update"),
    ("TASK", "/task"),
    ("CREATOR", "/creator"),
];

/// The workspace's endpoints. An update continues when the program ends.
async fn of(context: &Context) -> Result<Serving> {
    context.progress().expect_to_outlive("serving endpoint", "brick serving get");
    Ok(context.workspace().await?.serving())
}

/// Names, for completion.
fn candidates(current: &OsStr) -> Vec<CompletionCandidate> {
    live(current, Workspace::serving)
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    match command {
        Command::List(part) => {
            let found = part.read().select(of(context).await?.list_json().await?, "/name", None);
            context.output().list(&found, COLUMNS)
        }
        Command::Get(Which { endpoint }) => {
            context.record(of(context).await?.get_json(&endpoint).await?.get().as_bytes())
        }
        Command::Query { which: Which { endpoint }, question, timeout } => {
            let request = question.request()?;
            if let Some(timeout) = timeout {
                context.limit(timeout);
            }
            let answer = of(context).await?.query_json(&endpoint, &request).await?;
            question.show(answer.get(), context)
        }
        Command::Create { data: Data { data }, waiting } => {
            let description = json_data("description of the endpoint", &data)?;
            let limit = context.limit(waiting.timeout.timeout);
            let serving = of(context).await?;
            let created = serving.create_json(&description).await?;
            let name = answer::name(created.get()).or_else(|_| answer::name(&description))?;
            ready(&serving, &name, created.get(), waiting.no_wait, limit, context).await
        }
        Command::UpdateConfig { which: Which { endpoint }, data: Data { data }, waiting } => {
            let config = json_data("configuration", &data)?;
            let limit = context.limit(waiting.timeout.timeout);
            let serving = of(context).await?;
            let updated = serving.update_config_json(&endpoint, &config).await?;
            ready(&serving, &endpoint, updated.get(), waiting.no_wait, limit, context).await
        }
        Command::Wait { which: Which { endpoint }, timeout } => {
            let limit = context.limit(timeout.timeout);
            context.record(of(context).await?.wait_until_ready(&endpoint, limit).await?.raw())
        }
        Command::Logs { which: Which { endpoint }, entity, build } => {
            let serving = of(context).await?;
            let entity = match entity {
                Some(entity) => entity,
                None => only_entity(&endpoint, &*serving.get(&endpoint).await?)?,
            };
            let text = match build {
                true => serving.build_logs(&endpoint, &entity).await?,
                false => serving.logs(&endpoint, &entity).await?,
            };
            let end = if text.is_empty() || text.ends_with('\n') { "" } else { "\n" };
            Ok(context.output().text(&format!("{text}{end}"))?)
        }
        Command::Delete(Which { endpoint }) => {
            of(context).await?.delete(&endpoint).await?;
            context.record(json!({ "name": endpoint, "deleted": true }).to_string().as_bytes())
        }
    }
}

/// Prints the endpoint as it is now, or once it is ready.
async fn ready(
    serving: &Serving,
    name: &str,
    now: &str,
    no_wait: bool,
    limit: WaitOptions,
    context: &Context,
) -> Result {
    if no_wait {
        return context.record(now.as_bytes());
    }
    context.record(serving.wait_until_ready(name, limit).await?.raw())
}

/// The name of the only served entity, in service or on its way.
fn only_entity(endpoint: &str, described: &ServingEndpointDetailed) -> Result<String> {
    let serving = described.config.iter().flat_map(|config| config.served_entities.iter().flatten());
    let pending = described.pending_config.iter().flat_map(|config| config.served_entities.iter().flatten());
    let mut names: Vec<&str> = serving.chain(pending).filter_map(|entity| entity.name.as_deref()).collect();
    names.sort_unstable();
    names.dedup();
    match names[..] {
        [only] => Ok(only.to_owned()),
        [] => Err(Failure::usage(format!("this endpoint serves nothing: {endpoint}"))),
        _ => Err(Failure::usage(format!("this endpoint serves several entities: {endpoint}"))
            .with_hint(format!("name one of them: {}", names.join(", ")))),
    }
}
