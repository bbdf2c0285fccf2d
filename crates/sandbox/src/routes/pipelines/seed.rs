//! The pipelines of a fresh workspace, and the SQL that they run.

use serde_json::{Value, json};

/// A pipeline whose updates complete: they fill two tables from the samples.
pub const TRIPS_PIPELINE: &str = "3f7c5d10-9a41-4c5e-8b6a-5d2f0e7a1c11";
/// A pipeline whose updates fail: a table that it reads doesn't exist.
pub const FAILING_PIPELINE: &str = "b1e0d7c2-44f3-4e0b-9d1c-8a7f6e5d4c22";

/// Path without `/Workspace`, and content.
const FILES: [(&str, &str); 2] = [
    (
        "/Shared/trips/trips.sql",
        "-- The trips of each day.\n\
         CREATE OR REFRESH STREAMING TABLE trips_raw AS SELECT * FROM STREAM(samples.nyctaxi.trips);\n\n\
         CREATE OR REFRESH MATERIALIZED VIEW trips_count COMMENT 'How many there are'\n\
         AS SELECT count(*) AS trips FROM LIVE.trips_raw;\n",
    ),
    (
        "/Shared/orders/orders.sql",
        "CREATE OR REFRESH MATERIALIZED VIEW orders_clean AS SELECT * FROM orders_raw WHERE id IS NOT NULL;\n",
    ),
];

/// The content of a pipeline's file.
pub(super) fn file(path: &str) -> Option<&'static str> {
    let path = path.strip_prefix("/Workspace").unwrap_or(path);
    FILES.iter().find(|(name, _)| *name == path).map(|(_, content)| *content)
}

/// Ids and settings.
pub(super) fn pipelines() -> [(&'static str, Value); 2] {
    let spec = |name: &str, file: &str| {
        json!({
            "name": name,
            "catalog": "main",
            "schema": "default",
            "serverless": true,
            "continuous": false,
            "development": true,
            "photon": true,
            "edition": "ADVANCED",
            "channel": "CURRENT",
            "pipeline_type": "WORKSPACE",
            "libraries": [{ "file": { "path": file } }],
        })
    };
    [
        (TRIPS_PIPELINE, spec("trips", "/Workspace/Shared/trips/trips.sql")),
        (FAILING_PIPELINE, spec("orders", "/Workspace/Shared/orders/orders.sql")),
    ]
}
