//! `brick api`: raw requests, with all inputs of the connector's Raw Request.

mod fields;
mod named;

use std::{path::PathBuf, time::Duration};

use brickwire_actions::{
    Backoff, FilePart, RawData, RawPages, RawRequest, RawResponse, ResponseType, RetryPolicy,
    reference::{Content, Place, Reference},
};
use clap::builder::{PossibleValuesParser, TypedValueParser};
use clap_complete::ArgValueCompleter;
use serde_json::Value;

use crate::{
    context::Context,
    failure::{Failure, Result},
    options::{Format, duration},
    source::{DATA_LIMIT, Input, read_file},
};
use fields::{Field, field};

/// Send any request to the workspace, or call an operation by its name
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "brick api [OPTIONS] METHOD URL\n       brick api [OPTIONS] OPERATION_ID [KEY=VALUE]...\n       \
                      brick api --list [WORD]",
    after_help = "\
The arguments of an operation are checked before it is sent; --list shows them. VALUE may be @FILE or, for objects and
lists, JSON. An operation is retried where that is safe.

Examples:
  brick api --list permissions
  brick api --list jobs_list
  brick api jobs_list name=daily-report expand_tasks=true
  brick api files_download file_path=/Volumes/main/default/files/x.csv > x.csv
  brick api GET /2.1/clusters/list --query page_size=5
  brick api POST /api/2.0/sql/statements --data @statement.json --max-retries 3
  brick api POST /2.1/clusters/start -F cluster_id=0123-456789-abcdefgh --dry-run
  brick api GET /2.1/clusters/list --paginate --jq '.clusters[].cluster_id'
  brick api POST /2.0/workspace/import --form path=/Shared/x --file content=./x.py -i"
)]
pub(crate) struct Command {
    /// GET, POST, PUT, PATCH, DELETE, HEAD, OPTIONS, LINK, UNLINK or PURGE; or the ID of an operation, such as jobs_get
    #[arg(value_name = "METHOD|OPERATION_ID", required_unless_present = "list", add = ArgValueCompleter::new(named::candidates))]
    method: Option<String>,
    /// A path with or without /api (such as /2.1/clusters/list), or a URL of the workspace; or the operation's arguments
    #[arg(value_name = "URL|KEY=VALUE", conflicts_with = "list")]
    arguments: Vec<String>,
    /// List the operations that can be called by their names, or those that have WORD in ID, path or summary
    #[arg(long, value_name = "WORD", num_args = 0..=1, default_missing_value = "", conflicts_with_all = ["method", "data", "input", "field", "raw_field", "form", "file", "query", "header"])]
    list: Option<String>,
    /// Request body: text, @FILE, or - (or @-) for standard input
    #[arg(long, short, value_name = "TEXT|@FILE|-", allow_hyphen_values = true, conflicts_with_all = ["form", "file"])]
    data: Option<String>,
    /// File with the request body, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["data", "form", "file"])]
    input: Option<String>,
    // Not a doc comment: rustdoc would take the brackets for a link.
    #[arg(
        help = "Field of a JSON body (for GET, of the query): true, false, null, and numbers are typed; @FILE reads a \
                  file; KEY[]=VALUE adds to an array, KEY[NAME]=VALUE to an object"
    )]
    #[arg(long, short = 'F', value_name = "KEY=VALUE", value_parser = field, conflicts_with_all = ["data", "input", "form", "file"])]
    field: Vec<Field>,
    /// Field of a JSON body, always a string
    #[arg(long, short = 'f', value_name = "KEY=VALUE", value_parser = field, conflicts_with_all = ["data", "input", "form", "file"])]
    raw_field: Vec<Field>,
    /// Field of a multipart form
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    form: Vec<(String, String)>,
    /// File of a multipart form
    #[arg(long, value_name = "KEY=PATH", value_parser = pair)]
    file: Vec<(String, String)>,
    /// File name to send for a file of the form
    #[arg(long, value_name = "KEY=NAME", value_parser = pair)]
    file_name: Vec<(String, String)>,
    /// Query parameter; the last value of a repeated key is used
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    query: Vec<(String, String)>,
    /// Send all values of repeated query keys
    #[arg(long)]
    repeat_query_keys: bool,
    /// Header, as 'Name: value'
    #[arg(long, short = 'H', value_name = "HEADER", value_parser = header)]
    header: Vec<(String, String)>,
    /// Expected type of the response; by default JSON, or what the operation returns
    #[arg(long, value_name = "TYPE", value_parser = response_type())]
    response_type: Option<ResponseType>,
    /// Timeout of each attempt, such as 30s
    #[arg(long, value_name = "DURATION", value_parser = duration, allow_hyphen_values = true)]
    timeout: Option<Duration>,
    /// Longest response in MiB; without this, 64, and JSON with very many values is an error, too
    #[arg(long, value_name = "MIB")]
    max_response_mib: Option<u32>,
    /// Maximum number of retries; by default none, but an operation is repeated where that is safe
    #[arg(long, value_name = "N")]
    max_retries: Option<u32>,
    /// Delay before a retry, in milliseconds
    #[arg(long, value_name = "MS")]
    retry_delay_ms: Option<u64>,
    /// Retry after any error, even if that may repeat an action
    #[arg(long)]
    retry_all_errors: bool,
    /// Double the delay after each retry
    #[arg(long)]
    exponential_backoff: bool,
    /// Print the status and the headers, too
    #[arg(long, short)]
    include: bool,
    /// Follow `next_page_token` and print every page
    #[arg(long)]
    paginate: bool,
    /// Print the request as a curl command, with secrets masked, and send nothing
    #[arg(long)]
    dry_run: bool,
}

fn response_type() -> impl TypedValueParser<Value = ResponseType> {
    PossibleValuesParser::new(["json", "text", "binary"]).try_map(|text| text.parse::<ResponseType>())
}

fn pair(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("expected KEY=VALUE".to_owned()),
    }
}

fn header(text: &str) -> std::result::Result<(String, String), String> {
    match text.split_once(':') {
        Some((name, value)) if !name.trim().is_empty() => {
            Ok((name.trim().to_owned(), value.trim().to_owned()))
        }
        _ => Err("expected 'Name: value'".to_owned()),
    }
}

impl Command {
    fn method(&self) -> &str {
        self.method.as_deref().unwrap_or_default()
    }

    /// The operation that is called by its name, if it is one of the description.
    fn operation(&self) -> Option<&'static Reference> {
        Reference::of(self.method())
    }

    /// The request without its body, its headers and its options.
    fn start(&self) -> Result<RawRequest> {
        if named::is_operation(self.method()) {
            let has_fields = !self.field.is_empty() || !self.raw_field.is_empty();
            if has_fields || !self.form.is_empty() || !self.file.is_empty() {
                return Err(Failure::usage("an operation takes its arguments as KEY=VALUE, not as options")
                    .with_hint(format!(
                        "brick api {} KEY=VALUE …; --list shows its arguments",
                        self.method()
                    )));
            }
            return named::request(
                self.method(),
                &self.arguments,
                self.data.is_some() || self.input.is_some(),
            );
        }
        match &self.arguments[..] {
            [url] => Ok(RawRequest::new(self.method(), url)
                .with_repeated_query_keys(self.repeat_query_keys || self.has_arrays())),
            [] => Err(Failure::usage(format!("no URL is given after {:?}", self.method())).with_hint(
                "brick api GET /2.1/clusters/list, or the id of an operation, such as clusters_list",
            )),
            [_, more, ..] => Err(Failure::usage(format!("{more:?} is one argument too many")).with_hint(
                "after a method, there is only a URL; fields of a body are given with -F KEY=VALUE",
            )),
        }
    }

    fn request(&self) -> Result<RawRequest> {
        let mut request = self.start()?;
        if let Some(retry) = self.retry() {
            request = request.with_retry(retry);
        }
        if let Some(response_type) = self.response_type {
            request = request.with_response_type(response_type);
        }
        if let Some(mebibytes) = self.max_response_mib {
            request = request.with_response_limit(u64::from(mebibytes) << 20);
        }
        request = match (&self.data, &self.input) {
            (Some(data), _) => request.with_data(match data.strip_prefix('@') {
                Some(path) => self.body(&Input::read(path, DATA_LIMIT)?)?,
                None if data == "-" => self.body(&Input::read(data, DATA_LIMIT)?)?,
                None => RawData::from(data.as_str()),
            }),
            (None, Some(path)) => request.with_data(self.body(&Input::read(path, DATA_LIMIT)?)?),
            (None, None) => request,
        };
        request = self.with_fields(request)?;
        request = self.form.iter().fold(request, |request, (key, value)| request.with_form_field(key, value));
        for (key, path) in &self.file {
            let path = PathBuf::from(path);
            request = request.with_file(FilePart::new(key, read_file(&path)?).with_path(&path));
            if let Some(name) = path.file_name().and_then(|n| n.to_str())
                && !self.file_name.iter().any(|(named, _)| named == key)
            {
                request = request.with_file_name(key, name);
            }
        }
        request =
            self.file_name.iter().fold(request, |request, (key, name)| request.with_file_name(key, name));
        // Fields with arrays make the library repeat keys. --query doesn't unless requested.
        let is_repeated = |i: usize, key: &str| {
            self.has_arrays() && self.query[i + 1..].iter().any(|(later, _)| later == key)
        };
        for (i, (key, value)) in self.query.iter().enumerate() {
            if self.repeat_query_keys || !is_repeated(i, key) {
                request = request.with_query(key, value);
            }
        }
        request = self.header.iter().fold(request, |request, (name, value)| request.with_header(name, value));
        if let Some(timeout) = self.timeout {
            request = request.with_timeout(timeout);
        }
        Ok(request)
    }

    /// Whether a field adds to an array.
    fn has_arrays(&self) -> bool {
        self.field.iter().chain(&self.raw_field).any(|(key, _)| key.contains("[]"))
    }

    /// The Content-Type given with --header.
    fn content_type(&self) -> Option<&str> {
        let header = self.header.iter().rfind(|(name, _)| name.eq_ignore_ascii_case("content-type"))?;
        Some(header.1.as_str()).filter(|value| !value.is_empty())
    }

    /// A body from a file or standard input. JSON is UTF-8 without a byte-order mark, whatever the file is; other
    /// content is sent as it is.
    fn body(&self, input: &Input) -> Result<RawData> {
        let content_type = self.content_type();
        if content_type.is_some_and(|label| label.to_ascii_lowercase().contains("json")) || input.is_json() {
            return Ok(input.text()?.into());
        }
        match (input.text(), std::str::from_utf8(&input.bytes)) {
            // UTF-16, or UTF-8 with a mark.
            (Ok(text), _) if text.trim_start().starts_with(['{', '[']) => Ok(text.into()),
            (_, Ok(text)) => Ok(text.into()),
            (_, Err(_)) if content_type.is_some() => Ok(input.bytes.clone().into()),
            (_, Err(_)) => Ok(RawData::bytes(input.bytes.clone(), "application/octet-stream")),
        }
    }

    /// Adds --field and then --raw-field to the body or, for GET, to the query.
    fn with_fields(&self, mut request: RawRequest) -> Result<RawRequest> {
        let mut members = serde_json::Map::new();
        for (key, value) in &self.field {
            fields::add(&mut members, key, value.as_deref().map(fields::typed).transpose()?)?;
        }
        for (key, value) in &self.raw_field {
            fields::add(&mut members, key, value.as_deref().map(Value::from))?;
        }
        if members.is_empty() {
            return Ok(request);
        }
        if !matches!(self.method().to_ascii_uppercase().as_str(), "GET" | "HEAD") {
            return Ok(request.with_data(RawData::Json(members.into())));
        }
        let parameters: Vec<_> =
            members.into_iter().flat_map(|(name, value)| fields::query(&name, value)).collect();
        for (key, value) in parameters {
            request = request.with_query(key, value);
        }
        Ok(request)
    }

    /// A response has any shape: JSON is the only format of it, and text or bytes are printed as they are.
    fn check_output(&self, context: &Context) -> Result {
        let (format, has_filter) = context.asked();
        if !matches!(format, Format::Auto | Format::Json | Format::Jsonl | Format::Agent) {
            return Err(Failure::usage("api prints the response as JSON; use -o json or -o jsonl")
                .with_hint("to pick out values, filter it, for example --jq '.clusters[].cluster_id'"));
        }
        let is_json = self.expected() == ResponseType::Json;
        if !is_json && (has_filter || format != Format::Auto) {
            let option = if has_filter { "--jq" } else { "-o" };
            let what = match self.response_type {
                Some(_) => "--response-type requests something else",
                None => "this operation returns a file",
            };
            return Err(Failure::usage(format!("{option} is for JSON, and {what}"))
                .with_hint("text and bytes are printed as they are"));
        }
        Ok(())
    }

    /// What the response is.
    fn expected(&self) -> ResponseType {
        let returns_file = self.operation().is_some_and(|operation| operation.answer == Content::File);
        self.response_type.unwrap_or(if returns_file { ResponseType::Binary } else { ResponseType::Json })
    }

    /// The query parameter that the token of the next page belongs in.
    fn page_parameter(&self) -> Result<&'static str> {
        const USUAL: &str = "page_token";
        let Some(operation) = self.operation() else { return Ok(USUAL) };
        let is_page = |name: &&&str| operation.argument(name).is_some_and(|one| one.place == Place::Query);
        [USUAL, "next_page_token"].iter().find(is_page).copied().ok_or_else(|| {
            Failure::usage(format!("--paginate can't follow the pages of {}", operation.info.operation_id))
                .with_hint(
                    "leave it out, and send the token of each page yourself; --list shows the arguments",
                )
        })
    }

    /// The policy that the options ask for; an operation has one of its own.
    fn retry(&self) -> Option<RetryPolicy> {
        let is_asked = self.max_retries.is_some() || self.retry_all_errors;
        if self.operation().is_some() && !is_asked {
            return None;
        }
        let delay = self.retry_delay_ms.map(Duration::from_millis);
        let backoff = match self.exponential_backoff {
            true => Backoff::Exponential(delay),
            false => Backoff::Fixed(delay.unwrap_or_default()),
        };
        let max_retries = self.max_retries.unwrap_or_default();
        Some(RetryPolicy::Connector { max_retries, backoff, all_errors: self.retry_all_errors })
    }
}

pub(crate) async fn run(command: Command, context: &Context) -> Result {
    if let Some(word) = &command.list {
        return named::list(Some(word.as_str()).filter(|word| !word.is_empty()), context);
    }
    command.check_output(context)?;
    let request = command.request()?;
    if command.paginate {
        command.page_parameter()?;
    }
    let workspace = context.workspace().await?;
    if command.dry_run {
        return Ok(context.output().bytes(format!("{}\n", workspace.raw_as_curl(&request)?).as_bytes())?);
    }
    let (mut token, mut pages) = (None, RawPages::default());
    loop {
        let page = match &token {
            Some(token) => request.clone().with_query(command.page_parameter()?, token),
            None => request.clone(),
        };
        let response = workspace.raw(&page).await?;
        print(&command, &response, context)?;
        token = if command.paginate { pages.next(&response)? } else { None };
        if token.is_none() {
            return Ok(());
        }
    }
}

fn print(command: &Command, response: &RawResponse, context: &Context) -> Result {
    if command.include {
        context.output().bytes(head(response).as_bytes())?;
    }
    match command.expected() {
        ResponseType::Json if response.body.trim_ascii().is_empty() => Ok(()),
        ResponseType::Json => context.output().document(&response.text()),
        ResponseType::Text => Ok(context.output().bytes(response.text().as_bytes())?),
        _ => Ok(context.output().bytes(&response.body)?),
    }
}

fn head(response: &RawResponse) -> String {
    let mut head = format!("HTTP {}\n", response.status);
    for (name, value) in &response.headers {
        head.push_str(&format!("{name}: {}\n", String::from_utf8_lossy(value.as_bytes())));
    }
    head.push('\n');
    head
}
