//! The services whose state outlives the sandbox, if the workspace has a directory: the only place where one is
//! registered. The state of any other starts anew.

use std::sync::{Arc, Mutex};

use super::{
    catalogs, cluster_policies, clusters, dbfs, experiments, git_credentials, instance_pools, jobs,
    libraries, permissions, pipelines, registry, secrets, serving, users, volumes, warehouses, workspace,
};
use crate::tenant::{Kept, Tenant};

/// How the state of a service is saved and restored.
pub(crate) struct Service {
    /// How its file is named.
    pub(crate) name: &'static str,
    /// `None` if nothing has asked for its state yet.
    pub(crate) save: fn(&Tenant) -> Option<serde_json::Result<Vec<u8>>>,
    pub(crate) restore: fn(&Tenant, &[u8]) -> serde_json::Result<()>,
}

const fn service<S: Kept>(name: &'static str) -> Service {
    Service {
        name,
        save: |tenant| tenant.state_in_use::<S>().map(|state| state.save()),
        restore: |tenant, saved| {
            tenant.set_state(Arc::new(S::restore(tenant, saved)?));
            Ok(())
        },
    }
}

pub(crate) const KEPT: &[Service] = &[
    service::<Mutex<catalogs::store::Store>>("catalogs"),
    service::<Mutex<cluster_policies::Policies>>("cluster_policies"),
    service::<Mutex<clusters::life::Clusters>>("clusters"),
    service::<dbfs::Dbfs>("dbfs"),
    service::<Mutex<experiments::record::Experiments>>("experiments"),
    service::<git_credentials::Credentials>("git_credentials"),
    service::<Mutex<instance_pools::Pools>>("instance_pools"),
    service::<jobs::state::Jobs>("jobs"),
    service::<Mutex<libraries::Libraries>>("libraries"),
    service::<Mutex<permissions::Permissions>>("permissions"),
    service::<Mutex<pipelines::state::Pipelines>>("pipelines"),
    service::<Mutex<registry::Registry>>("registry"),
    service::<secrets::Secrets>("secrets"),
    service::<Mutex<serving::endpoint::Endpoints>>("serving"),
    service::<Mutex<users::directory::Directory>>("users"),
    service::<volumes::Volumes>("volumes"),
    service::<Mutex<warehouses::change::Config>>("warehouses_config"),
    service::<Mutex<warehouses::state::Warehouses>>("warehouses"),
    service::<workspace::tree::Objects>("workspace"),
];
