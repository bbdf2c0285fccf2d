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
            cluster_policies,
            clusters: cluster,
            commands,
            contexts: context,
            control,
            dbfs,
            experiments,
            files,
            functions,
            git_credentials,
            grants,
            groups,
            instance_pools,
            jobs: run,
            libraries: library,
            metastores,
            models,
            oauth,
            permissions,
            pipelines: update,
            registry,
            repos,
            schemas,
            secrets,
            service_principals,
            serving: endpoint,
            statements: statement,
            tables,
            users,
            volumes,
            warehouses: warehouse,
            workspace,
        }
    };
}
pub(crate) use services;
