//! What results take on disk: deleted when they expire, and bounded.

use super::record::Statements;
use crate::server::Server;

/// Closes what has expired in every workspace.
pub(crate) fn sweep(server: &Server) {
    let now_ms = server.now_ms();
    for tenant in server.directory.tenants() {
        tenant.state::<Statements>().sweep(now_ms);
    }
}

/// Closes the oldest results until there is room for that many bytes more; `false` if there is not enough.
pub(super) fn make_room(server: &Server, bytes: u64) -> bool {
    let fits = || server.stored.bytes().saturating_add(bytes) <= server.options.result_bytes;
    if fits() {
        return true;
    }
    let statements = server.directory.tenants().into_iter().map(|tenant| tenant.state::<Statements>());
    let mut ended: Vec<_> = statements.flat_map(|statements| statements.succeeded()).collect();
    ended.sort_by_key(|statement| statement.ended_ms());
    for statement in ended {
        statement.close();
        if fits() {
            return true;
        }
    }
    false
}
