//! Which warehouse is meant if none is named, and how warehouses are changed.

mod change;

use brickwire_actions::{Connection, ErrorKind, Workspace};
use brickwire_testserver::{Response, Server};
use serde_json::{Value, json};

const LIST: &str = "/api/2.0/sql/warehouses";
const OF_USER: &str = "/api/warehouses/v1/default-warehouse-overrides/me";
const OF_WORKSPACE: &str = "/api/2.0/settings/types/default_warehouse_id/names/default";

/// A service with these warehouses, each an id and a state, and these answers for the defaults: null is a 404.
fn serve(warehouses: &[(&str, &str)], of_user: Value, of_workspace: Value) -> (Server, Workspace) {
    let all =
        warehouses.iter().map(|(id, state)| json!({ "id": id, "name": format!("the {id}"), "state": state }));
    let all = json!({ "warehouses": all.collect::<Vec<_>>() });
    let server = Server::start(move |request| {
        let answer = match request.path() {
            LIST => &all,
            OF_USER => &of_user,
            OF_WORKSPACE => &of_workspace,
            _ => &Value::Null,
        };
        match answer.is_null() {
            true => Response::new(404).with_body(r#"{"error_code":"ENDPOINT_NOT_FOUND"}"#),
            false => Response::json(answer.to_string()),
        }
    });
    let workspace = Workspace::new(Connection::token(&server.url(), "dapi-example").unwrap()).unwrap();
    (server, workspace)
}

fn setting(id: &str) -> Value {
    json!({ "setting_name": "default", "string_val": { "value": id } })
}

#[tokio::test]
async fn the_only_warehouse_needs_no_default() {
    for state in ["RUNNING", "STOPPED"] {
        let (server, workspace) = serve(&[("a", state), ("old", "DELETED")], Value::Null, setting("old"));
        assert_eq!(workspace.warehouses().find_default().await.unwrap(), "a");
        assert_eq!(server.only().path(), LIST);
    }
}

#[tokio::test]
async fn of_several_the_default_is_used_and_never_the_running_one() {
    let several = [("a", "RUNNING"), ("b", "STOPPED"), ("c", "STOPPED")];
    let custom = |id: &str| json!({ "type": "CUSTOM", "warehouse_id": id });
    for (of_user, of_workspace, expected) in [
        (Value::Null, setting("b"), "b"),
        (custom("c"), setting("b"), "c"),
        (json!({ "type": "LAST_SELECTED", "warehouse_id": "c" }), setting("b"), "b"),
        (custom("not-visible"), setting("b"), "b"),
    ] {
        let (_server, workspace) = serve(&several, of_user, of_workspace);
        assert_eq!(workspace.warehouses().find_default().await.unwrap(), expected);
    }
}

#[tokio::test]
async fn without_a_default_the_error_lists_the_warehouses() {
    for of_workspace in [Value::Null, json!({}), json!([]), setting(""), setting("not-visible")] {
        let (_server, workspace) = serve(&[("a", "RUNNING"), ("b", "STOPPED")], Value::Null, of_workspace);
        let error = workspace.warehouses().find_default().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Configuration);
        let text = error.to_string();
        assert!(text.contains("2 are visible: a (the a, RUNNING), b (the b, STOPPED)"), "{text}");
        assert_eq!(error.hint(), Some("set `warehouse_id`"));
    }
    let (_server, workspace) = serve(&[], Value::Null, Value::Null);
    let error = workspace.warehouses().find_default().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration);
    assert!(error.to_string().contains("none is visible"), "{error}");
}
