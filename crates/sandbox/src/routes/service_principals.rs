//! Service principals of the workspace (SCIM). Their entries are in the directory of [`users`](super::users).

use super::users::{directory, kind::Kind};
use crate::call::Routes;

pub(super) fn routes() -> Routes {
    directory::routes(Kind::ServicePrincipals)
}
