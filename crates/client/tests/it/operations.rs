//! What holds for every operation.

use std::collections::BTreeSet;

use brickwire_client::OPERATIONS;

#[test]
fn every_operation_says_where_it_is_and_is_there_once() {
    let ids: BTreeSet<_> = OPERATIONS.iter().map(|operation| operation.operation_id).collect();
    let places: BTreeSet<_> = OPERATIONS.iter().map(|operation| (operation.method, operation.path)).collect();
    assert_eq!((ids.len(), places.len()), (OPERATIONS.len(), OPERATIONS.len()));
    for operation in OPERATIONS {
        let is_query = operation.operation_id == "serving_query";
        assert!(operation.path.starts_with("/api/") || is_query, "{operation:?}");
        assert!(
            ["GET", "HEAD", "PUT", "POST", "PATCH", "DELETE"].contains(&operation.method),
            "{operation:?}"
        );
    }
}

#[test]
fn what_only_reads_is_repeatable_and_what_creates_is_not() {
    for operation in OPERATIONS {
        if ["GET", "HEAD"].contains(&operation.method) {
            assert!(operation.repeatable, "{operation:?}");
        }
        // A PUT creates what its address names, so a second one finds it there.
        let id = operation.operation_id;
        if operation.method == "POST" && (id.ends_with("_create") || id.ends_with("_execute")) {
            assert!(!operation.repeatable, "{operation:?}");
        }
    }
}
