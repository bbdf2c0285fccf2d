use brickwire_sandbox::seed::{RUNNING_CLUSTER, SHARED_POLICY, WARM_POOL};
use serde_json::{Value, json};

use crate::client::start;

const POLICIES: &str = "/api/2.0/policies/clusters";
const POOLS: &str = "/api/2.0/instance-pools";

#[tokio::test]
async fn a_cluster_obeys_its_policy() {
    let (_sandbox, client) = start().await;
    let mut settings = json!({ "spark_version": "15.4.x-scala2.12", "num_workers": 1, "policy_id": SHARED_POLICY,
        "apply_policy_default_values": true });
    let id = client.posted("/api/2.1/clusters/create", settings.clone()).await["cluster_id"].clone();
    let made = client.got(&format!("/api/2.1/clusters/get?cluster_id={}", id.as_str().unwrap())).await;
    // Fixed values and defaults are filled in.
    assert_eq!((&made["node_type_id"], &made["autotermination_minutes"]), (&json!("i3.xlarge"), &json!(60)));
    assert_eq!(made["custom_tags"], json!({ "team": "analytics" }));
    for (name, value, words) in [
        ("autotermination_minutes", json!(121), "autotermination_minutes, the value must be at most 120"),
        ("node_type_id", json!("p3.2xlarge"), "node_type_id, the value must be one of: i3.xlarge, m5d.large"),
        ("custom_tags", json!({ "team": "x" }), "custom_tags.team, the value must be analytics"),
    ] {
        let before = settings.get(name).cloned();
        settings[name] = value;
        let (status, body) = client.post("/api/2.1/clusters/create", settings.clone()).await;
        assert_eq!(
            (status.as_u16(), &body["error_code"]),
            (400, &json!("INVALID_PARAMETER_VALUE")),
            "{name}"
        );
        assert!(body["message"].as_str().unwrap().contains(words), "{body}");
        settings[name] = before.unwrap_or_default();
    }
    let update = json!({ "cluster_id": RUNNING_CLUSTER, "update_mask": "autotermination_minutes",
        "cluster": { "autotermination_minutes": 5 } });
    assert_eq!(client.post("/api/2.1/clusters/update", update).await.0, 400);
}

#[tokio::test]
async fn policies_are_listed_made_replaced_and_deleted() {
    let (_sandbox, client) = start().await;
    let rules = json!({ "num_workers": { "type": "range", "maxValue": 2 } }).to_string();
    let new = json!({ "name": "small", "definition": rules });
    let id = client.posted(&format!("{POLICIES}/create"), new.clone()).await["policy_id"].clone();
    assert_eq!(client.post(&format!("{POLICIES}/create"), new).await.0, 400);
    let names = |list: &Value| {
        let all = list["policies"].as_array().unwrap();
        all.iter().map(|one| one["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&client.got(&format!("{POLICIES}/list")).await),
        ["small", "Shared Compute", "Personal Compute"]
    );
    let path = format!("{POLICIES}/list?sort_column=POLICY_NAME&sort_order=ASC");
    assert_eq!(names(&client.got(&path).await), ["Personal Compute", "Shared Compute", "small"]);

    let edit = json!({ "policy_id": id, "name": "smaller", "policy_family_id": "power-user",
        "policy_family_definition_overrides": json!({ "num_workers": { "type": "fixed", "value": 1 } }).to_string() });
    client.posted(&format!("{POLICIES}/edit"), edit).await;
    let get = format!("{POLICIES}/get?policy_id={}", id.as_str().unwrap());
    let edited = client.got(&get).await;
    assert_eq!((&edited["name"], edited["created_at_timestamp"].is_u64()), (&json!("smaller"), true));
    let rules: Value = serde_json::from_str(edited["definition"].as_str().unwrap()).unwrap();
    assert_eq!((rules["num_workers"]["value"].as_u64(), rules.as_object().unwrap().len()), (Some(1), 2));
    let wrong = json!({ "policy_id": id, "name": "x", "definition": "{\"a\":1}" });
    assert_eq!(client.post(&format!("{POLICIES}/edit"), wrong).await.0, 400);
    client.posted(&format!("{POLICIES}/delete"), json!({ "policy_id": id })).await;
    assert_eq!(client.get(&get).await.0, 404);
    assert_eq!(
        client.post(&format!("{POLICIES}/delete"), json!({ "policy_id": "D06216CAA000035F" })).await.0,
        400
    );
    let families = client.got("/api/2.0/policy-families").await;
    assert_eq!(families["policy_families"][0]["policy_family_id"], "personal-vm");
}

#[tokio::test]
async fn pools_are_listed_made_changed_and_deleted() {
    let (_sandbox, client) = start().await;
    let all = client.got(&format!("{POOLS}/list")).await;
    let warm = &all["instance_pools"][0];
    assert_eq!((&warm["instance_pool_id"], &warm["state"]), (&json!(WARM_POOL), &json!("ACTIVE")));
    let new = json!({ "instance_pool_name": "mine", "node_type_id": "m5d.large", "min_idle_instances": 2 });
    let id = client.posted(&format!("{POOLS}/create"), new).await["instance_pool_id"].clone();
    let get = format!("{POOLS}/get?instance_pool_id={}", id.as_str().unwrap());
    assert_eq!(client.got(&get).await["stats"]["idle_count"], 2);
    let mut edit = json!({ "instance_pool_id": id, "instance_pool_name": "yours", "node_type_id": "m5d.large",
        "min_idle_instances": 0 });
    client.posted(&format!("{POOLS}/edit"), edit.clone()).await;
    let edited = client.got(&get).await;
    assert_eq!((&edited["instance_pool_name"], &edited["stats"]["idle_count"]), (&json!("yours"), &json!(0)));
    edit["enable_elastic_disk"] = json!(false);
    assert_eq!(client.post(&format!("{POOLS}/edit"), edit.clone()).await.0, 400);
    edit.as_object_mut().unwrap().remove("enable_elastic_disk");
    edit["node_type_id"] = json!("i3.xlarge");
    assert_eq!(client.post(&format!("{POOLS}/edit"), edit).await.0, 400);
    let settings = json!({ "spark_version": "15.4.x-scala2.12", "num_workers": 1, "instance_pool_id": id });
    client.posted("/api/2.1/clusters/create", settings.clone()).await;
    client.posted(&format!("{POOLS}/delete"), json!({ "instance_pool_id": id })).await;
    assert_eq!(client.get(&get).await.0, 404);
    let (status, body) = client.post("/api/2.1/clusters/create", settings).await;
    assert_eq!(status, 400, "{body}");
    assert_eq!(client.post(&format!("{POOLS}/create"), json!({ "instance_pool_name": "x" })).await.0, 400);
}
