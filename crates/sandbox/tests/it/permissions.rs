use brickwire_sandbox::seed::{RUNNING_WAREHOUSE, USER_NAME};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::client::{Client, read, start};

const JOB: &str = "/api/2.0/permissions/jobs/9007199254740993";

async fn change(client: &Client, method: Method, path: &str, list: Value) -> (StatusCode, Value) {
    let body = json!({ "access_control_list": list });
    read(client.send(method, path, Some(&body)).await.unwrap()).await
}

/// Principal, level and whether it is inherited, of each permission.
fn told(answer: &Value) -> Vec<(String, String, bool)> {
    let list = answer["access_control_list"].as_array().unwrap().iter();
    list.flat_map(|entry| {
        let name =
            ["user_name", "group_name", "service_principal_name"].iter().find_map(|key| entry[key].as_str());
        let all = entry["all_permissions"].as_array().unwrap().iter();
        all.map(move |one| {
            let level = one["permission_level"].as_str().unwrap();
            (name.unwrap().to_owned(), level.to_owned(), one["inherited"] == true)
        })
    })
    .collect()
}

fn direct(name: &str, level: &str) -> (String, String, bool) {
    (name.to_owned(), level.to_owned(), false)
}

#[tokio::test]
async fn set_replaces_and_update_adds_and_admins_stay() {
    let (_sandbox, client) = start().await;
    let admins = ("admins".to_owned(), "CAN_MANAGE".to_owned(), true);
    let fresh = client.got(JOB).await;
    assert_eq!(
        (&fresh["object_id"], &fresh["object_type"]),
        (&json!("/jobs/9007199254740993"), &json!("job"))
    );
    assert_eq!(told(&fresh), [direct(USER_NAME, "IS_OWNER"), admins.clone()]);
    let grace = json!({ "user_name": "grace.sandbox@example.com", "permission_level": "IS_OWNER" });
    let engineers = json!({ "group_name": "data-engineers", "permission_level": "CAN_MANAGE_RUN" });
    let (_, added) = change(&client, Method::PATCH, JOB, json!([engineers])).await;
    assert_eq!(
        told(&added),
        [direct(USER_NAME, "IS_OWNER"), direct("data-engineers", "CAN_MANAGE_RUN"), admins.clone()]
    );
    let (_, set) = change(&client, Method::PUT, JOB, json!([grace])).await;
    assert_eq!(told(&set), [direct("grace.sandbox@example.com", "IS_OWNER"), admins.clone()]);
    assert_eq!(client.got(JOB).await, set);
    // A job has exactly one owner.
    let (status, body) = change(&client, Method::PUT, JOB, json!([])).await;
    assert!(status == 400 && body["message"].as_str().unwrap().contains("exactly one owner"), "{body}");
    assert_eq!(client.got(JOB).await, set);
    // Other things need none.
    let cluster = "/api/2.0/permissions/clusters/0123-456789-abcdefgh";
    let (_, none) = change(&client, Method::PUT, cluster, json!([])).await;
    assert_eq!(told(&none), [admins]);
}

#[tokio::test]
async fn a_type_may_have_a_slash_and_has_its_levels() {
    let (_sandbox, client) = start().await;
    let path = format!("/api/2.0/permissions/sql/warehouses/{RUNNING_WAREHOUSE}");
    assert_eq!(client.got(&path).await["object_id"], format!("/sql/warehouses/{RUNNING_WAREHOUSE}"));
    let levels = client.got(&format!("{path}/permissionLevels")).await;
    assert_eq!(
        levels["permission_levels"][0],
        json!({ "permission_level": "CAN_USE", "description": "Can use" })
    );
    let (status, body) = client.get("/api/2.0/permissions/planets/7").await;
    assert_eq!((status.as_u16(), &body["error_code"]), (400, &json!("INVALID_PARAMETER_VALUE")));
    for (entry, status) in [
        (json!({ "user_name": USER_NAME, "permission_level": "CAN_RUN" }), 400),
        (json!({ "user_name": USER_NAME, "group_name": "admins", "permission_level": "CAN_USE" }), 400),
        (json!({ "permission_level": "CAN_USE" }), 400),
        (json!({ "user_name": "nobody@example.com", "permission_level": "CAN_USE" }), 404),
        (json!({ "service_principal_name": "nobody", "permission_level": "CAN_USE" }), 404),
    ] {
        let (came, body) = change(&client, Method::PATCH, &path, json!([entry])).await;
        assert_eq!(came.as_u16(), status, "{entry}: {body}");
    }
}
