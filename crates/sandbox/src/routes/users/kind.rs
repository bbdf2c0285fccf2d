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

    /// The schemas that an entry follows.
    pub(super) fn schemas(self) -> Vec<String> {
        let mut schemas = vec![format!("urn:ietf:params:scim:schemas:core:2.0:{}", self.name())];
        if self == Self::Users {
            schemas.push("urn:ietf:params:scim:schemas:extension:workspace:2.0:User".to_owned());
        }
        schemas
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
