//! The services whose state outlives the sandbox, if the workspace has a directory: the only place where one is
//! registered. The state of any other starts anew.

use std::sync::{Arc, Mutex};

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
    service::<Mutex<super::catalogs::store::Store>>("catalogs"),
    service::<Mutex<super::experiments::record::Experiments>>("experiments"),
    service::<super::git_credentials::Credentials>("git_credentials"),
    service::<super::jobs::state::Jobs>("jobs"),
    service::<Mutex<super::permissions::Permissions>>("permissions"),
    service::<Mutex<super::registry::Registry>>("registry"),
    service::<super::secrets::Secrets>("secrets"),
    service::<Mutex<super::serving::endpoint::Endpoints>>("serving"),
    service::<Mutex<super::users::directory::Directory>>("users"),
    service::<super::workspace::tree::Objects>("workspace"),
];
