//! The commands. Each one parses arguments, calls one action, and prints one result. A new one is a file and a line in
//! the list below. `cargo fmt` doesn't look into macros, `cargo xtask fmt` formats all files.

use crate::{context::Context, failure::Result, output::Column, read_only};

/// Generates the modules, the enum of all commands in the order of the help, and the dispatch. Each module has a type `Command` for
/// its arguments or subcommands, and a function `run`.
macro_rules! commands {
    ($($(#[$attribute:meta])* $name:ident,)*) => {
        $(
            #[allow(clippy::module_inception, reason = "one command is called commands")]
            mod $name;
        )*

        #[derive(Debug, clap::Subcommand)]
        #[allow(non_camel_case_types, reason = "a variant is named after its module, which is named after the command")]
        pub(crate) enum Command {
            $($(#[$attribute])* $name($name::Command),)*
        }

        /// Runs a command, whose words are without `brick`. A filter or a format that is wrong is an error before anything
        /// is sent, and so is a change in read-only mode.
        pub(crate) async fn run(command: Command, words: &str, context: &Context) -> Result {
            context.check_output(matches!(command, Command::sql(_)))?;
            context.check_envelope(matches!(command, Command::sql(_) | Command::run(_) | Command::statements(_)))?;
            if read_only::is_change(words) && context.is_read_only().await {
                return read_only::refuse(words);
            }
            match command {
                $(Command::$name(command) => $name::run(command, context).await,)*
            }
        }
    };
}

commands! {
    sql,
    run,
    #[command(subcommand)]
    statements,
    #[command(subcommand)]
    clusters,
    #[command(subcommand)]
    cluster_policies,
    #[command(subcommand)]
    instance_pools,
    #[command(subcommand)]
    libraries,
    #[command(subcommand)]
    warehouses,
    #[command(subcommand)]
    jobs,
    #[command(subcommand)]
    catalogs,
    #[command(subcommand)]
    schemas,
    #[command(subcommand)]
    tables,
    #[command(subcommand)]
    functions,
    #[command(subcommand)]
    models,
    #[command(subcommand)]
    grants,
    #[command(subcommand)]
    serving,
    #[command(subcommand)]
    registry,
    #[command(subcommand)]
    permissions,
    #[command(subcommand)]
    users,
    #[command(subcommand)]
    groups,
    #[command(subcommand)]
    service_principals,
    #[command(subcommand)]
    workspace,
    #[command(subcommand)]
    secrets,
    #[command(subcommand)]
    repos,
    #[command(subcommand)]
    files,
    #[command(subcommand)]
    volumes,
    #[command(subcommand)]
    pipelines,
    #[command(subcommand)]
    contexts,
    #[command(subcommand)]
    commands,
    whoami,
    api,
    doctor,
    configure,
    #[command(subcommand)]
    config,
    #[command(subcommand)]
    auth,
    completions,
    mcp,
    skill,
    sandbox,
    help,
}

/// The columns of the list that a command prints, for completion; none if that is not known.
pub(crate) fn columns_of(command: &str) -> &'static [Column] {
    match command {
        "clusters" => clusters::COLUMNS,
        "warehouses" => warehouses::COLUMNS,
        "jobs" => jobs::COLUMNS,
        "pipelines" => pipelines::COLUMNS,
        "serving" => serving::COLUMNS,
        "catalogs" => catalogs::COLUMNS,
        "schemas" => schemas::COLUMNS,
        "tables" => tables::COLUMNS,
        "volumes" => volumes::COLUMNS,
        "functions" => functions::COLUMNS,
        "models" => models::COLUMNS,
        "users" => users::COLUMNS,
        "groups" => groups::COLUMNS,
        "service-principals" => service_principals::COLUMNS,
        "cluster-policies" => cluster_policies::COLUMNS,
        "instance-pools" => instance_pools::COLUMNS,
        "repos" => repos::COLUMNS,
        _ => &[],
    }
}
