//! The services of a workspace: the only place where one is registered.
//!
//! A service is the module of that name in `routes/`. It brings
//! - `pub(super) fn routes() -> Routes`;
//! - its state in a workspace, if it has one: a type with [`ServiceState`](crate::tenant::ServiceState), whose
//!   `fresh` holds the seeds;
//! - if the list names a delay for it, `pub(super) const DELAY: Duration`: the default.
//!
//! The modules, the router, [`Delays`](crate::Delays) and the flag `--delay` follow from this list. `cargo fmt` doesn't
//! look into macros, `cargo xtask fmt` formats all files.

/// Calls `$then!` with the services, each with the name of its delay.
macro_rules! services {
    ($then:ident) => {
        $then! {
            catalogs,
            clusters: cluster,
            commands,
            contexts: context,
            control,
            experiments,
            functions,
            git_credentials,
            grants,
            groups,
            jobs: run,
            metastores,
            models,
            oauth,
            permissions,
            registry,
            repos,
            schemas,
            secrets,
            service_principals,
            serving: endpoint,
            statements: statement,
            tables,
            users,
            warehouses: warehouse,
            workspace,
        }
    };
}
pub(crate) use services;
