//! What holds for every operation.

use std::collections::BTreeSet;

use brickwire_client::OPERATIONS;

#[test]
fn every_operation_says_where_it_is_and_is_there_once() {
    let ids: BTreeSet<_> = OPERATIONS.iter().map(|operation| operation.operation_id).collect();
    let places: BTreeSet<_> = OPERATIONS.iter().map(|operation| (operation.method, operation.path)).collect();
    assert_eq!((ids.len(), places.len()), (OPERATIONS.len(), OPERATIONS.len()));
    for operation in OPERATIONS {
        assert!(operation.path.starts_with("/api/"), "{operation:?}");
        assert!(["GET", "PUT", "POST", "PATCH", "DELETE"].contains(&operation.method), "{operation:?}");
    }
}

/// What creates something whose name or path is unique: the service refuses a second one, which changes nothing.
const REFUSED_TWICE: &[&str] = &["repos_create", "secret_scopes_create"];

#[test]
fn what_only_reads_is_repeatable_and_what_creates_is_not() {
    for operation in OPERATIONS {
        if operation.method == "GET" {
            assert!(operation.repeatable, "{operation:?}");
        }
        if operation.operation_id.ends_with("_create") || operation.operation_id.ends_with("_execute") {
            let is_refused_twice = REFUSED_TWICE.contains(&operation.operation_id);
            assert_eq!(operation.repeatable, is_refused_twice, "{operation:?}");
        }
    }
}
