//! What the command line calls the settings of the library.
//!
//! Other programs show the library's hints too. So a hint names a setting or an action of the library, in backticks where
//! it has a name, and never a flag or a command; those are put in here.

/// The library's words, and those of the command line. A row for each flag and command that a hint may mean.
const WORDS: &[(&str, &str)] = &[
    ("`warehouse_id`", "--warehouse or DATABRICKS_WAREHOUSE_ID"),
    ("`cluster_id`", "--cluster or DATABRICKS_CLUSTER_ID"),
    ("`profile`", "--profile or DATABRICKS_CONFIG_PROFILE"),
    ("`host`", "--host or DATABRICKS_HOST"),
    ("`ca_file`", "--ca-file"),
    ("`auth_type`", "DATABRICKS_AUTH_TYPE (auth_type)"),
];

/// A hint of the library in the words of the command line.
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
