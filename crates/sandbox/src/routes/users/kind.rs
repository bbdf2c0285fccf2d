//! What the directory holds.

use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(in crate::routes) enum Kind {
    Users,
    Groups,
    ServicePrincipals,
}

impl Kind {
    pub(super) fn path(self) -> &'static str {
        match self {
            Self::Users => "Users",
            Self::Groups => "Groups",
            Self::ServicePrincipals => "ServicePrincipals",
        }
    }

    /// One of them, as schemas and messages call it.
    pub(super) fn name(self) -> &'static str {
        self.path().trim_end_matches('s')
    }

    /// What no two of them share.
    pub(super) fn unique(self) -> &'static str {
        match self {
            Self::Users => "userName",
            Self::Groups => "displayName",
            Self::ServicePrincipals => "applicationId",
        }
    }
}
