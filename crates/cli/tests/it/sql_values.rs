//! What `brick sql` prints of each type: the same text from Arrow as from JSON_ARRAY, but for the digits of a TIMESTAMP;
//! and in JSON, numbers, booleans and NULL at every depth.

use serde_json::json;

use crate::{
    scripted::Server,
    workspace::{Workspace, squeezed},
};

/// A column of each type that the sandbox has. The last row is NULL in all of them.
const TYPES: &str = r"SELECT b, CAST(n AS TINYINT) AS tiny, CAST(n AS SMALLINT) AS small, CAST(n AS INT) AS mid, big,
    CAST(d AS FLOAT) AS f, CAST(d AS DOUBLE) AS d, CAST(p AS DECIMAL(38,3)) AS p, CAST(n AS DECIMAL(5,0)) AS whole,
    s, CAST(s AS BINARY) AS bin, CAST(at AS DATE) AS day, CAST(at AS TIMESTAMP) AS at, CAST(at AS TIMESTAMP_NTZ) AS wall,
    INTERVAL '14' MONTH AS months, CAST(at AS TIMESTAMP) - TIMESTAMP '2024-01-01 00:00:00' AS span, NULL AS void,
    array(n, NULL) AS list, array(array(b), array()) AS lists, map('k', d) AS pairs,
    named_struct('n', big, 'b', b, 's', s, 'p', CAST(p AS DECIMAL(38,3)), 'day', CAST(at AS DATE),
      'bin', CAST(s AS BINARY), 'list', array(s)) AS record
  FROM VALUES
    (true, -128, 9007199254740993, '1e10', '12345678901234567890123456789012345.678', '', '1969-12-31 23:59:59.999000'),
    (false, 127, -9223372036854775808, '-0.0', '-0.1', 'say \""hi\"", \\ é漢😀\n', '2024-02-29 02:30:00.120000'),
    (true, 0, 0, 'NaN', '0', 'NULL', '0001-01-01 00:00:00'),
    (false, 1, 1, '0.001', '1.5', '{\""a\"": 1}', '9999-12-31 23:59:59.999'),
    (false, 1, 1, '-Infinity', '7', '\u0001', '1582-10-04 12:00:00'),
    (NULL, NULL, NULL, NULL, NULL, NULL, NULL) AS t(b, n, big, d, p, s, at)";

/// The rows of the statement as the service sends them in JSON_ARRAY.
fn json_array(workspace: &Workspace, statement: &str) -> serde_json::Value {
    let warehouse = brickwire_sandbox::seed::RUNNING_WAREHOUSE;
    let request = json!({ "warehouse_id": warehouse, "statement": statement, "wait_timeout": "30s" });
    let ran = workspace
        .brick("api post /api/2.0/sql/statements --input -")
        .stdin(request.to_string())
        .run()
        .done();
    assert_eq!(ran.json()["status"]["state"], "SUCCEEDED", "{}", ran.text());
    ran.json()["result"]["data_array"].clone()
}
