//! Unity Catalog: catalogs, schemas, tables, functions, models and privileges.

use brickwire_sandbox::seed::REGISTERED_MODEL;
use serde_json::json;

use crate::workspace::{Workspace, squeezed};

const UC: &str = "/api/2.1/unity-catalog";

#[test]
fn a_table_is_made_by_sql_listed_shown_and_dropped() {
    let workspace = Workspace::fresh();
    workspace.brick("catalogs create Lab --comment x").run().done().silent();
    workspace.brick("schemas create lab.sales").run().done().silent();
    workspace.sql("", "CREATE TABLE lab.sales.orders (id BIGINT NOT NULL, price DECIMAL(10,2))").run().done();
    let list = workspace.brick("tables list lab.sales").run().done().silent().json();
    assert_eq!((list.as_array().unwrap().len(), &list[0]["full_name"]), (1, &json!("lab.sales.orders")));
    // JSON is the service's; a table has the columns.
    let raw = squeezed(&workspace.get(&format!("{UC}/tables/lab.sales.orders")));
    let shown = workspace.brick("table get lab.sales.Orders").run().done().silent();
    assert_eq!(squeezed(shown.text()), raw);
    let csv = workspace.brick("tables get lab.sales.orders -o csv").run().done().silent();
    let expected = "COLUMN,TYPE,NULLABLE,COMMENT\nid,bigint,false,\nprice,\"decimal(10,2)\",true,\n";
    assert_eq!(csv.text().replace("\r\n", "\n"), expected);
    let table = workspace.brick("tables get samples.nyctaxi.trips -o table").run().done().silent();
    assert!(
        table.text().contains("tpep_pickup_datetime") && table.text().contains("timestamp"),
        "{}",
        table.text()
    );

    workspace.brick("schemas delete lab.sales").run().fails(6, &["not empty", "or add --force"]);
    workspace.brick("catalogs delete lab").run().fails(6, &["not empty"]);
    let gone = workspace.brick("tables delete lab.sales.orders").run().done().silent().json();
    assert_eq!(gone, json!({ "full_name": "lab.sales.orders", "deleted": true }));
    workspace.sql("", "SELECT * FROM lab.sales.orders").run().fails(8, &["TABLE_OR_VIEW_NOT_FOUND"]);
    workspace.brick("tables get lab.sales.orders").run().fails(5, &["does not exist"]);
    workspace.brick("catalogs delete lab --force").run().done().silent();
    workspace.brick("schemas list lab").run().fails(5, &["Catalog 'lab' does not exist"]);
    let names = workspace.brick("catalogs list -o csv").run().done().silent();
    assert!(
        names.text().contains("main,MANAGED_CATALOG,") && !names.text().contains("lab"),
        "{}",
        names.text()
    );
}

#[test]
fn privileges_are_changed_and_listed() {
    let workspace = Workspace::fresh();
    let change =
        "grants update schema main.default --principal users --add use-schema --add SELECT --remove MODIFY";
    workspace.brick(change).run().done().silent();
    let sent = workspace.requests("PATCH", &format!("{UC}/permissions/schema/main.default"));
    let expected = json!({ "changes": [{ "principal": "users", "add": ["USE_SCHEMA", "SELECT"], "remove": ["MODIFY"] }] });
    assert_eq!((sent.len(), sent[0].body.as_ref()), (1, Some(&expected)));
    let list =
        workspace.brick("grants get schema main.default --principal users").run().done().silent().json();
    assert_eq!(list, json!([{ "principal": "users", "privileges": ["SELECT", "USE_SCHEMA"] }]));
    let csv = workspace.brick("grants get schema main.default --effective -o csv").run().done().silent();
    let row = |text: &str| csv.text().lines().any(|line| line == text);
    assert!(row("users,SELECT,,") && row("account users,USE_CATALOG,CATALOG,main"), "{}", csv.text());
    let all = workspace.brick("grants get schema main.default --effective").run().done().silent();
    assert!(all.text().contains("\"inherited_from_name\": \"main\""), "{}", all.text());
    // What can't be meant is not sent.
    for (arguments, words) in [
        (
            "schema main.default --principal users --add SELECT --remove select",
            "added and removed for users: SELECT",
        ),
        ("schema main.default --principal users", "--add"),
        ("schema main --principal users --add SELECT", "not the full name of a schema"),
        ("../x main --principal users --add SELECT", "not a kind of object"),
    ] {
        workspace.brick(&format!("grants update {arguments}")).run().fails(2, &[words]);
    }
    assert_eq!(workspace.requests("PATCH", UC).len(), 1);
    let unknown = "grants update catalog main --principal eve@example.com --add BROWSE";
    workspace.brick(unknown).run().fails(5, &["Could not find principal"]);
}

#[test]
fn models_have_versions_and_aliases() {
    let workspace = Workspace::fresh();
    let run = |arguments: &str| workspace.brick(&format!("models {arguments}")).run();
    assert_eq!(run("list main.default").done().silent().json()[0]["full_name"], REGISTERED_MODEL);
    let versions = run(&format!("versions {REGISTERED_MODEL} -o csv")).done().silent();
    assert!(
        versions.text().contains("\n2,READY,") && versions.text().lines().count() == 3,
        "{}",
        versions.text()
    );
    let moved = run(&format!("alias {REGISTERED_MODEL} champion 1")).done().silent().json();
    assert_eq!((&moved["alias_name"], &moved["version_num"]), (&json!("champion"), &json!(1)));
    assert_eq!(run(&format!("get {REGISTERED_MODEL}")).done().json()["aliases"][0]["version_num"], 1);
    run(&format!("delete-alias {REGISTERED_MODEL} champion")).done().silent();
    run(&format!("alias {REGISTERED_MODEL} champion 9")).fails(5, &["does not exist"]);
    run(&format!("alias {REGISTERED_MODEL} champion 0")).fails(2, &["0"]);
    run("create main.default.Forecast --comment c").done().silent();
    run("create forecast").fails(2, &["not the full name of a model", "CATALOG.SCHEMA.NAME"]);
    run("delete main.default.forecast").done().silent();
    assert_eq!(run("list").done().silent().json().as_array().unwrap().len(), 1);
}

#[test]
fn a_lost_answer_to_a_create_is_not_sent_again() {
    let workspace = Workspace::fresh();
    workspace.fault("POST /api/2.1/unity-catalog/catalogs: after reset times 1");
    workspace.brick("catalogs create lab").run().fails(7, &["outcome unknown", "`catalogs_create`"]);
    assert_eq!(workspace.requests("POST", UC).len(), 1);
    // It has been made.
    workspace.brick("catalogs get lab").run().done();
    workspace.brick("catalogs create lab").run().fails(6, &["already exists"]);
    let function = json!({ "function_info": {
        "catalog_name": "main", "schema_name": "default", "name": "one", "data_type": "INT", "full_data_type": "INT",
        "input_params": {}, "is_deterministic": true, "is_null_call": false, "parameter_style": "S",
        "routine_body": "SQL", "routine_definition": "1", "security_type": "DEFINER", "specific_name": "one",
        "sql_data_access": "NO_SQL" } });
    workspace.brick("api POST /2.1/unity-catalog/functions --data").arg(function.to_string()).run().done();
    let list = workspace.brick("functions list main.default -o csv").run().done().silent();
    assert!(list.text().contains("main.default.one,INT,"), "{}", list.text());
    workspace.brick("functions delete main.default.one").run().done().silent();
    workspace.brick("functions get main.default.one").run().fails(5, &["does not exist"]);
}
