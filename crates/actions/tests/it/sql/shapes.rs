//! Rows that don't fit what the service says of them.

use brickwire_actions::ErrorKind;
use serde_json::{Value, json};

use super::{
    all_ids,
    service::{ID, Service},
};

/// The result's rows are refused, whichever way they come.
async fn is_refused(columns: Value, manifest: Value, word: &str) {
    for inline in [true, false] {
        let (columns, manifest) = (columns.clone(), manifest.clone());
        let running = Service { inline, columns, manifest, ..Service::of_rows(1, 3) }.start().await;
        let error = all_ids(&running).await.unwrap_err();
        let text = format!("{error} {:?}", error.hint());
        assert_eq!((error.kind(), error.statement_id()), (ErrorKind::UnexpectedResponse, Some(ID)), "{text}");
        assert!(text.contains(word) && !text.contains("again"), "{text}");
    }
}

#[tokio::test]
async fn rows_without_a_schema_are_unexpected() {
    for manifest in [
        json!({ "schema": null }),
        json!({ "schema": {} }),
        json!({ "schema": { "columns": [] } }),
        json!({ "schema": null, "total_row_count": null, "chunks": null }),
    ] {
        is_refused(json!(null), manifest, "schema").await;
    }
}

#[tokio::test]
async fn a_column_count_that_does_not_fit_is_unexpected() {
    let one = json!([{ "name": "id", "type_name": "LONG" }]);
    is_refused(one.clone(), json!({}), "2 cells for 1 columns").await;
    is_refused(one.clone(), json!({ "schema": { "column_count": 2, "columns": one } }), "announces 2").await;
    let three = json!([{ "name": "a" }, { "name": "b" }, { "name": "c" }]);
    is_refused(three, json!({}), "2 cells for 3 columns").await;
}
