//! Completion at the prompt: SQL words, commands, and the names of catalogs, schemas, tables and columns.
//!
//! Names come from Unity Catalog's lists, never from SQL, which would start a stopped warehouse. They are kept for a minute;
//! pressing Tab takes at most a moment, and an error means no candidates.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use brickwire_actions::Workspace;
use rustyline::{
    Context, Helper, completion::Completer, highlight::Highlighter, hint::Hinter, validate::Validator,
};
use tokio::runtime::Handle;

use super::commands;
use crate::terminal::is_control;

/// The time for the candidates of one word.
const DEADLINE: Duration = Duration::from_millis(1500);
/// How long names are used again.
const FRESH: Duration = Duration::from_secs(60);
/// How many tables of a statement are looked up for their columns.
const TABLES: usize = 3;

const WORDS: &[&str] = &[
    "ALL",
    "ALTER",
    "ANALYZE",
    "AND",
    "ARRAY",
    "AS",
    "ASC",
    "BEGIN",
    "BETWEEN",
    "BIGINT",
    "BOOLEAN",
    "BY",
    "CALL",
    "CASE",
    "CAST",
    "CATALOG",
    "CATALOGS",
    "COALESCE",
    "COLUMN",
    "COLUMNS",
    "COMMENT",
    "COPY",
    "COUNT",
    "CREATE",
    "CROSS",
    "DATE",
    "DECIMAL",
    "DELETE",
    "DESC",
    "DESCRIBE",
    "DISTINCT",
    "DOUBLE",
    "DROP",
    "ELSE",
    "END",
    "EXCEPT",
    "EXECUTE",
    "EXISTS",
    "EXPLAIN",
    "FALSE",
    "FROM",
    "FULL",
    "FUNCTION",
    "FUNCTIONS",
    "GRANT",
    "GROUP",
    "HAVING",
    "HISTORY",
    "IF",
    "IMMEDIATE",
    "IN",
    "INNER",
    "INSERT",
    "INT",
    "INTERSECT",
    "INTERVAL",
    "INTO",
    "IS",
    "JOIN",
    "LEFT",
    "LIKE",
    "LIMIT",
    "MAP",
    "MATCHED",
    "MERGE",
    "NOT",
    "NULL",
    "OFFSET",
    "ON",
    "OPTIMIZE",
    "OR",
    "ORDER",
    "OUTER",
    "OVER",
    "OVERWRITE",
    "PARTITION",
    "PIVOT",
    "PROCEDURE",
    "QUALIFY",
    "RECURSIVE",
    "REFRESH",
    "RENAME",
    "REPLACE",
    "REVOKE",
    "RIGHT",
    "SCHEMA",
    "SCHEMAS",
    "SELECT",
    "SEMI",
    "SET",
    "SHOW",
    "STRING",
    "STRUCT",
    "TABLE",
    "TABLES",
    "TEMPORARY",
    "THEN",
    "TIMESTAMP",
    "TO",
    "TRUE",
    "TRUNCATE",
    "UNION",
    "UNPIVOT",
    "UPDATE",
    "USE",
    "USING",
    "VACUUM",
    "VALUES",
    "VIEW",
    "VIEWS",
    "VOLUME",
    "WHEN",
    "WHERE",
    "WINDOW",
    "WITH",
];

/// Completes words. Without a workspace it completes nothing.
pub(crate) struct Names {
    source: Option<Source>,
    /// The default catalog and schema.
    pub(crate) defaults: (Option<String>, Option<String>),
    /// The lines before the one that is edited.
    pub(crate) before: String,
}

struct Source {
    workspace: Workspace,
    runtime: Handle,
    known: Mutex<HashMap<String, (Instant, Vec<String>)>>,
}

impl Names {
    /// Names in this workspace. Its requests should neither be shown nor repeated.
    pub(crate) fn of(workspace: Workspace) -> Self {
        let source = Source { workspace, runtime: Handle::current(), known: Mutex::default() };
        Self { source: Some(source), defaults: (None, None), before: String::new() }
    }

    /// For code that isn't SQL.
    pub(crate) fn none() -> Self {
        Self { source: None, defaults: (None, None), before: String::new() }
    }

    /// The candidates for the word before a position, and where the part starts that they replace.
    fn candidates(&self, line: &str, position: usize) -> (usize, Vec<String>) {
        let Some(source) = &self.source else { return (position, Vec::new()) };
        let typed = &line[..position];
        let start = typed
            .rfind(|c: char| !is_in_name(c))
            .map_or(0, |at| at + typed[at..].chars().next().map_or(1, char::len_utf8));
        let word = &typed[start..];
        if word.starts_with('\\') {
            return (start, starting(commands::NAMES.iter().map(|name| (*name).to_owned()), word));
        }
        let (parents, last) = word.rsplit_once('.').map_or(("", word), |(parents, last)| (parents, last));
        let at = position - last.len();
        let parents: Vec<_> =
            parents.split('.').filter(|part| !part.is_empty()).map(|part| part.trim_matches('`')).collect();
        let names = source.within_deadline(async || match &parents[..] {
            [] => self.anything(source, line, last).await,
            [catalog] => {
                let mut names = source.schemas(catalog).await;
                if let (Some(current), _) = &self.defaults {
                    names.extend(source.tables(current, catalog).await);
                }
                names
            }
            [catalog, schema] => source.tables(catalog, schema).await,
            [catalog, schema, table] => {
                source.columns(&[catalog, schema, table].map(|part| *part).join(".")).await
            }
            _ => Vec::new(),
        });
        let quoted = last.starts_with('`');
        let mut found = starting(names.into_iter(), last.trim_start_matches('`'));
        for name in &mut found {
            let is_word = parents.is_empty() && WORDS.contains(&name.to_uppercase().as_str()) && !quoted;
            let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if quoted || !is_plain && !is_word {
                *name = format!("`{}`", name.replace('`', "``"));
            }
        }
        (at, found)
    }

    /// Words, catalogs, what is in the default schema, and the columns of the tables that the statement names.
    async fn anything(&self, source: &Source, line: &str, last: &str) -> Vec<String> {
        let is_lower = last.starts_with(|c: char| c.is_lowercase());
        let mut names: Vec<_> = WORDS
            .iter()
            .map(|word| if is_lower { word.to_lowercase() } else { (*word).to_owned() })
            .collect();
        names.extend(source.catalogs().await);
        if let (Some(catalog), schema) = &self.defaults {
            names.extend(source.schemas(catalog).await);
            names.extend(source.tables(catalog, schema.as_deref().unwrap_or("default")).await);
        }
        let text = format!("{}\n{line}", self.before);
        for table in self.tables_in(&text) {
            names.extend(source.columns(&table).await);
        }
        names
    }

    /// The full names of the tables after `FROM`, `JOIN`, `INTO` and `UPDATE`.
    fn tables_in(&self, text: &str) -> Vec<String> {
        let mut words = text.split_whitespace();
        let mut tables = Vec::new();
        while let Some(word) = words.next() {
            let names_table =
                ["FROM", "JOIN", "INTO", "UPDATE"].iter().any(|other| other.eq_ignore_ascii_case(word));
            let Some(name) = words.clone().next().filter(|_| names_table) else { continue };
            let name: String = name.trim_end_matches([';', ',', ')']).replace('`', "");
            let parts = name.split('.').count();
            tables.extend(match (parts, &self.defaults) {
                (3, _) => Some(name),
                (2, (Some(catalog), _)) => Some(format!("{catalog}.{name}")),
                (1, (Some(catalog), schema)) => {
                    Some(format!("{catalog}.{}.{name}", schema.as_deref().unwrap_or("default")))
                }
                _ => None,
            });
        }
        tables.truncate(TABLES);
        tables
    }
}

impl Source {
    fn within_deadline(&self, names: impl AsyncFnOnce() -> Vec<String>) -> Vec<String> {
        let limited = async { tokio::time::timeout(DEADLINE, names()).await.unwrap_or_default() };
        self.runtime.block_on(limited)
    }

    async fn catalogs(&self) -> Vec<String> {
        self.cached("", async |workspace| {
            let all = workspace.catalogs().list().await.ok()?;
            Some(all.into_iter().filter_map(|catalog| catalog.name).collect())
        })
        .await
    }

    async fn schemas(&self, catalog: &str) -> Vec<String> {
        self.cached(catalog, async |workspace| {
            let all = workspace.schemas().list(catalog).await.ok()?;
            Some(all.into_iter().filter_map(|schema| schema.name).collect())
        })
        .await
    }

    async fn tables(&self, catalog: &str, schema: &str) -> Vec<String> {
        let schema = format!("{catalog}.{schema}");
        self.cached(&schema, async |workspace| {
            let all = workspace.tables().names(&schema).await.ok()?;
            let last =
                |name: &String| name.rsplit('.').next().unwrap_or_default().trim_matches('`').to_owned();
            Some(all.iter().map(last).collect())
        })
        .await
    }

    async fn columns(&self, table: &str) -> Vec<String> {
        self.cached(table, async |workspace| {
            let table = workspace.tables().get(table).await.ok()?.into_inner();
            Some(table.columns.unwrap_or_default().into_iter().filter_map(|column| column.name).collect())
        })
        .await
    }

    /// What is in `place`. An error counts as nothing, and is asked for again after a minute.
    async fn cached(
        &self,
        place: &str,
        list: impl AsyncFnOnce(&Workspace) -> Option<Vec<String>>,
    ) -> Vec<String> {
        let known = || self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, names)) = known().get(place).filter(|(since, _)| since.elapsed() < FRESH) {
            return names.clone();
        }
        let workspace = self.workspace.with_deadline(Instant::now() + DEADLINE);
        let names = list(&workspace).await.unwrap_or_default();
        known().insert(place.to_owned(), (Instant::now(), names.clone()));
        names
    }
}

fn is_in_name(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.' | '`' | '\\' | '-')
}

/// The names that start so, in any case, each once. None that a terminal would act on.
fn starting(names: impl Iterator<Item = String>, start: &str) -> Vec<String> {
    let start = start.to_lowercase();
    let fits = |name: &String| name.to_lowercase().starts_with(&start) && !name.contains(is_control);
    let mut found: Vec<_> = names.filter(fits).collect();
    found.sort();
    found.dedup();
    found
}

impl Completer for Names {
    type Candidate = String;

    fn complete(
        &self,
        line: &str,
        position: usize,
        _: &Context<'_>,
    ) -> rustyline::Result<(usize, Vec<String>)> {
        Ok(self.candidates(line, position))
    }
}

impl Hinter for Names {
    type Hint = String;
}

impl Highlighter for Names {}
impl Validator for Names {}
impl Helper for Names {}

#[cfg(test)]
mod tests {
    use brickwire_actions::{Config, Environment};

    use super::*;

    /// Names that are known already; no request succeeds.
    fn names(runtime: &tokio::runtime::Runtime) -> Names {
        let _entered = runtime.enter();
        let config = Config::builder().environment(Environment::default());
        let config = config.host("http://127.0.0.1:1").token("t").resolve().unwrap();
        let mut names = Names::of(Workspace::builder().config(&config).build().unwrap());
        names.defaults = (Some("main".to_owned()), None);
        let source = names.source.as_ref().unwrap();
        for (place, found) in [
            ("", &["main", "samples", "my-catalog"][..]),
            ("main", &["default", "sales"]),
            ("main.default", &["daily", "Bad\u{1b}[2J"]),
            ("samples", &["nyctaxi"]),
            ("samples.nyctaxi", &["trips"]),
            ("samples.nyctaxi.trips", &["fare_amount", "pickup_zip"]),
            ("main.nyctaxi", &[]),
        ] {
            let found = found.iter().map(|name| (*name).to_owned()).collect();
            source.known.lock().unwrap().insert(place.to_owned(), (Instant::now(), found));
        }
        names
    }

    #[test]
    fn words_and_names_are_completed_part_by_part() {
        let runtime =
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let names = names(&runtime);
        for (line, start, found) in [
            ("SEL", 0, &["SELECT"][..]),
            ("sel", 0, &["select"]),
            ("SELECT * FROM sam", 14, &["samples"]),
            ("SELECT * FROM samples.ny", 22, &["nyctaxi"]),
            ("SELECT * FROM samples.nyctaxi.", 30, &["trips"]),
            ("SELECT fare FROM samples.nyctaxi.trips t WHERE pick", 47, &["pickup_zip"]),
            ("SELECT samples.nyctaxi.trips.f", 29, &["fare_amount"]),
            ("SELECT * FROM dai", 14, &["daily"]),
            ("USE CATALOG my", 12, &["`my-catalog`"]),
            ("USE CATALOG `my", 12, &["`my-catalog`"]),
            ("SELECT ba", 7, &[]),
            ("\\t", 0, &["\\timing"]),
        ] {
            let found: Vec<_> = found.iter().map(|name| (*name).to_owned()).collect();
            assert_eq!(names.candidates(line, line.len()), (start, found), "{line}");
        }
        let columns = names.candidates("SELECT fa FROM samples.nyctaxi.trips", 9);
        assert_eq!(columns, (7, vec!["FALSE".to_lowercase(), "fare_amount".to_owned()]));
        assert_eq!(Names::none().candidates("SEL", 3), (3, Vec::new()));
    }
}
