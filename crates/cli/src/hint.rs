//! Translates the library's hints into the words of the command line.
//!
//! Other programs show these hints too, so the library names settings, in backticks, and never flags or commands.

/// What to do about a refusal in read-only mode.
pub(crate) const READ_ONLY: &str =
    "remove --read-only, BRICK_READ_ONLY, and read_only of the profile to allow it";

/// The library's words and the command line's, with a row for each setting that a hint can name.
const WORDS: &[(&str, &str)] = &[
    ("log in with `BrowserLogin` for `profile = ", "run `brick auth login --profile "),
    ("log in with `BrowserLogin` for `host = ", "run `brick auth login --host "),
    (
        "set DATABRICKS_HOST to the workspace's address, or name a profile",
        "run `brick configure`, or set DATABRICKS_HOST and DATABRICKS_TOKEN; to try brick without an account, add \
         --sandbox",
    ),
    ("create it with `save_profile`", "create it with `brick configure`"),
    ("wait for it with `wait_until_ready`", "run `brick serving wait`"),
    ("see `build_logs` of the served entity", "run `brick serving logs --build`"),
    ("give it something to serve with `update_config`", "run `brick serving update-config`"),
    ("leave `stream` out, or send a raw request,", "leave `stream` out, or use `brick api`,"),
    ("leave out `read_only` to allow it", READ_ONLY),
    ("or leave out `read_only`", "or remove --read-only, BRICK_READ_ONLY, and read_only of the profile"),
    ("list the jobs", "run `brick jobs list`"),
    ("list the pipelines", "run `brick pipelines list`"),
    ("list the users", "run `brick users list`"),
    ("list the groups", "run `brick groups list`"),
    ("list the service principals", "run `brick service-principals list`"),
    ("use `set` to remove", "use `brick permissions set` to remove"),
    ("`BrowserLogin`", "`brick auth login`"),
    ("`warehouse_id`", "--warehouse or DATABRICKS_WAREHOUSE_ID"),
    ("`parameters`", "-P"),
    ("`cluster_id`", "--cluster or DATABRICKS_CLUSTER_ID"),
    ("`idempotency_token`", "--idempotency-token"),
    ("`profile`", "--profile or DATABRICKS_CONFIG_PROFILE"),
    ("`host`", "--host or DATABRICKS_HOST"),
    ("`ca_file`", "--ca-file"),
    ("set `disposition` to `INLINE`", "add --inline"),
    ("set `row_limit`", "add --limit"),
    ("set `overwrite`", "add --overwrite"),
    ("send a raw request with a larger `response_limit`", "use `brick api` with --max-response-mib"),
    ("call `delete_with_contents`", "add --force"),
    ("leave `disposition` unset", "leave out --inline"),
    ("set `parents`", "add --parents"),
    ("set `recursive`", "add --recursive"),
    (
        "leave `session` unset, or run the script in a context with `Commands::run`",
        "leave out --session, or run it in a context: brick run -l sql -f FILE -c CLUSTER",
    ),
    (
        "set `session`, or run the script in a context with `Commands::run`",
        "use --session, or run it in a context: brick run -l sql -f FILE -c CLUSTER",
    ),
    (
        "run the notebook in a context with `Commands::run`",
        "run it on a cluster: brick run -f FILE -c CLUSTER",
    ),
    ("run the file with `Notebook`, cell by cell", "run it cell by cell: brick run -f FILE -c CLUSTER"),
    ("leave out `language`", "leave out --language"),
    ("set a longer `timeout`, or submit it without waiting", "use a longer --timeout, or --no-wait"),
    ("set a longer `timeout`", "use a longer --timeout"),
    ("`language`", "--language"),
    ("`provider`", "--provider"),
    ("`auth_type`", "DATABRICKS_AUTH_TYPE (auth_type)"),
];

/// Replaces the names of settings with flags and variables.
pub(crate) fn in_cli_words(hint: &str) -> String {
    WORDS.iter().fold(hint.to_owned(), |hint, (library, cli)| hint.replace(library, cli))
}

#[cfg(test)]
mod tests {
    use super::in_cli_words;

    #[test]
    fn settings_become_flags_and_all_else_stays() {
        let told = in_cli_words("set `ca_file`; `scopes` and host stay");
        assert_eq!(told, "set --ca-file; `scopes` and host stay");
    }
}
