use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::{Comparison, compare};
use crate::drift::sdk::Sdk;

/// An SDK with one class of the description and one of its own.
fn sdk() -> Value {
    json!({
        "version": "1.0.0",
        "notes": [],
        "operations": [
            {
                "name": "toys.ToysAPI.list", "method": "GET", "path": "/api/2.0/toys", "path_parameters": [],
                "query": {"filter_by": {"named": "toys.Filter"}, "page_size": "integer"},
                "request": null, "response": {"named": "toys.ListToysResponse"}, "response_headers": [],
            },
            {
                "name": "toys.ToysAPI.update", "method": "PATCH", "path": "/api/2.0/toys/{toy_id}",
                "path_parameters": ["integer"], "query": {}, "response_headers": [],
                "request": {"object": {"name": "string", "tags": {"map": "string"}}},
                "response": {"named": "toys.Toy"},
            },
            {
                "name": "toys.ToysAPI.download", "method": "GET", "path": "/api/2.0/toys/{toy_id}/picture",
                "path_parameters": ["integer"], "query": {}, "request": null, "response": "bytes",
                "response_headers": [],
            },
        ],
        "types": {
            "toys.Filter": {"object": {"states": {"list": {"named": "toys.State"}}}},
            "toys.ListToysResponse": {"object": {"toys": {"list": {"named": "toys.ToyInfo"}}}},
            "toys.ToyInfo": {"object": {"id": "integer", "state": {"named": "toys.State"}}},
            "toys.Toy": {"object": {"id": "integer", "name": "string", "parent": {"named": "toys.Toy"}}},
            "toys.State": {"enum": ["NEW", "OLD"]},
        },
    })
}

/// A description that says the same: one component for two of the SDK's types, and a deprecated field that it lacks.
fn description() -> Value {
    let answer = |content: Value| json!({"200": {"content": content}, "4XX": {}});
    let json_answer = |name: &str| {
        answer(json!({"application/json": {"schema": {"$ref": format!("#/components/schemas/{name}")}}}))
    };
    let id = json!([{"name": "id", "in": "path", "required": true, "schema": {"type": "integer"}}]);
    json!({
        "paths": {
            "/api/2.0/toys": {"get": {
                "operationId": "toys_list", "tags": ["toys"], "responses": json_answer("ListToys"),
                "parameters": [
                    {"name": "page_size", "in": "query", "schema": {"type": "integer"}},
                    {"name": "filter_by.states", "in": "query",
                     "schema": {"type": "array", "items": {"$ref": "#/components/schemas/ToyState"}}},
                ],
            }},
            "/api/2.0/toys/{id}": {"patch": {
                "operationId": "toys_update", "tags": ["toys"], "parameters": id, "responses": json_answer("Toy"),
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/UpdateToy"}}}},
            }},
            "/api/2.0/toys/{id}/picture": {"get": {
                "operationId": "toys_picture", "tags": ["toys"], "parameters": id,
                "responses": answer(json!({"application/octet-stream": {}})),
            }},
        },
        "components": {"schemas": {
            "ListToys": {"type": "object", "properties": {
                "toys": {"type": "array", "items": {"$ref": "#/components/schemas/Toy"}},
            }},
            "Toy": {"type": "object", "additionalProperties": {}, "properties": {
                "id": {"type": "integer"},
                "name": {"type": "string"},
                "color": {"type": "string", "deprecated": true},
                "parent": {"$ref": "#/components/schemas/Toy"},
                "state": {"allOf": [{"$ref": "#/components/schemas/ToyState"}], "description": "Its state."},
            }},
            "UpdateToy": {"type": "object", "properties": {
                "name": {"type": "string"},
                "tags": {"type": "object", "additionalProperties": {"type": "string"}},
            }},
            "ToyState": {"type": "string", "enum": ["NEW", "OLD"]},
        }},
    })
}

fn run(description: &Value, sdk: &Value) -> Comparison {
    let origin = |(component, file): (&str, &str)| (component.to_owned(), file.to_owned());
    let origins = [("ListToys", "toys"), ("Toy", "toys"), ("UpdateToy", "toys"), ("ToyState", "common")]
        .map(origin)
        .into();
    let sdk: Sdk = serde_json::from_value(sdk.clone()).unwrap();
    compare(description, &origins, &sdk)
}

/// The differences after a change of one side, each with its service and detail.
fn found(description: &Value, sdk: &Value) -> Vec<String> {
    let comparison = run(description, sdk);
    comparison.differences.iter().map(|it| format!("{}: {it}: {}", it.service, it.detail)).collect()
}

/// Changes a value that has to be there, and expects these differences.
#[track_caller]
fn changed(side: &str, pointer: &str, value: Value, expected: &[&str]) {
    let (mut description, mut sdk) = (description(), sdk());
    let target = if side == "sdk" { &mut sdk } else { &mut description };
    *target.pointer_mut(pointer).unwrap_or_else(|| panic!("nothing at {pointer}")) = value;
    assert_eq!(found(&description, &sdk), expected);
}

#[test]
fn two_that_say_the_same_do_not_differ() {
    let comparison = run(&description(), &sdk());
    assert_eq!((comparison.differences, comparison.compared), (vec![], 3));
    assert!(comparison.undescribed.is_empty());
}

#[test]
fn an_operation_is_missing_if_its_class_is_described() {
    let mut sdk = sdk();
    for (name, path) in
        [("toys.ToysAPI.get", "/api/2.0/toys/{id}"), ("games.GamesAPI.list", "/api/2.0/games")]
    {
        sdk["operations"].as_array_mut().unwrap().push(json!({
            "name": name, "method": "GET", "path": path, "path_parameters": [], "query": {}, "request": null,
            "response": null, "response_headers": [],
        }));
    }
    assert_eq!(found(&description(), &sdk), ["toys: + operation GET /api/2.0/toys/{id}: toys.ToysAPI.get"]);
    let undescribed = run(&description(), &sdk).undescribed;
    assert_eq!(undescribed, BTreeMap::from([("games.GamesAPI".to_owned(), 1)]));
}

#[test]
fn an_operation_of_ours_that_the_sdk_lacks() {
    let expected = [
        "toys: + operation GET /api/2.1/toys: toys.ToysAPI.list",
        "toys: - field Toy.state: not in toys.Toy",
        "toys: - operation GET /api/2.0/toys: toys_list",
    ];
    changed("sdk", "/operations/0/path", json!("/api/2.1/toys"), &expected);
}

#[test]
fn of_several_operations_at_one_place_the_one_with_our_name_counts() {
    let mut sdk = sdk();
    let mut other = sdk["operations"][1].clone();
    other["name"] = json!("toys.ToysAPI.paint");
    other["response"] = json!({"named": "toys.Filter"});
    sdk["operations"].as_array_mut().unwrap().push(other);
    assert_eq!(found(&description(), &sdk), [""; 0]);
    sdk["operations"][1]["name"] = json!("toys.ToysAPI.change");
    let expected = ["toys: + field Toy.states: list of toys.State in toys.Filter"];
    assert_eq!(found(&description(), &sdk), expected);
}

#[test]
fn parameters() {
    let query = json!({"filter_by": {"named": "toys.Filter"}, "limit": "integer"});
    let expected = [
        "toys: + parameter toys_list.limit: integer",
        "toys: - parameter toys_list.page_size: not in toys.ToysAPI.list",
    ];
    changed("sdk", "/operations/0/query", query, &expected);
    let expected = ["toys: ~ parameter toys_update.id: integer here, string in the SDK"];
    changed("sdk", "/operations/1/path_parameters", json!(["string"]), &expected);
    let expected =
        ["toys: ~ parameter toys_list.filter_by.states: string here, list of toys.State in the SDK"];
    changed(
        "description",
        "/paths/~1api~12.0~1toys/get/parameters/1/schema",
        json!({"type": "string"}),
        &expected,
    );
}

#[test]
fn fields_that_one_side_lacks() {
    let fields = json!({"id": "integer", "name": "string", "owner": {"list": "string"}});
    let expected = [
        "toys: + field Toy.owner: list of string in toys.Toy",
        "toys: - field Toy.parent: not in toys.Toy, toys.ToyInfo",
    ];
    changed("sdk", "/types/toys.Toy/object", fields, &expected);
    let expected = ["toys: + field UpdateToy.name: string in toys.ToysAPI.update"];
    let properties = json!({"tags": {"type": "object", "additionalProperties": {"type": "string"}}});
    changed("description", "/components/schemas/UpdateToy/properties", properties, &expected);
}

#[test]
fn types_that_differ() {
    for (kind, words) in [
        (json!("string"), "string"),
        (json!({"list": "integer"}), "list of integer"),
        (json!({"named": "toys.State"}), "toys.State"),
        (json!({"named": "toys.Gone"}), "toys.Gone"),
    ] {
        let expected = format!("toys: ~ field Toy.id: integer here, {words} in the SDK");
        changed("sdk", "/types/toys.Toy/object/id", kind, &[&expected]);
    }
    let expected = ["toys: ~ field UpdateToy.tags: map of string here, list of string in the SDK"];
    changed("sdk", "/operations/1/request/object/tags", json!({"list": "string"}), &expected);
    let expected = ["toys: ~ field UpdateToy.tags: string here, integer in the SDK"];
    changed("sdk", "/operations/1/request/object/tags", json!({"map": "integer"}), &expected);
    let expected = ["toys: ~ field Toy.state: ToyState here, string in the SDK"];
    changed("sdk", "/types/toys.ToyInfo/object/state", json!("string"), &expected);
}

#[test]
fn values_of_an_enum_belong_to_its_file() {
    let expected =
        ["common: + value ToyState.BROKEN: in toys.State", "common: - value ToyState.OLD: not in toys.State"];
    changed("sdk", "/types/toys.State/enum", json!(["NEW", "BROKEN"]), &expected);
    let expected = [
        "toys: ~ field Toy.state: string here, toys.State in the SDK",
        "toys: ~ parameter toys_list.filter_by.states: string here, toys.State in the SDK",
    ];
    changed("description", "/components/schemas/ToyState", json!({"type": "string"}), &expected);
}

#[test]
fn a_page_of_which_the_sdk_reads_a_part_may_have_more() {
    let mut description = description();
    description["components"]["schemas"]["ListToys"]["properties"]["total"] = json!({"type": "integer"});
    let expected = ["toys: - field ListToys.total: not in toys.ListToysResponse"];
    assert_eq!(found(&description, &sdk()), expected);
    let mut sdk = sdk();
    sdk["operations"][0]["response"] = json!({"part": {"toys": {"list": {"named": "toys.ToyInfo"}}}});
    assert_eq!(found(&description, &sdk), [""; 0]);
}

#[test]
fn files_and_empty_answers() {
    let expected = ["toys: ~ answer toys_picture: bytes here, toys.Toy in toys.ToysAPI.download"];
    changed("sdk", "/operations/2/response", json!({"named": "toys.Toy"}), &expected);
    changed(
        "sdk",
        "/operations/2/response",
        json!(null),
        &["toys: - answer toys_picture: nothing in toys.ToysAPI.download"],
    );
    let expected = [
        "toys: - field Toy.name: not in toys.ToyInfo",
        "toys: - field Toy.parent: not in toys.ToyInfo",
        "toys: ~ answer toys_update: Toy here, bytes in the SDK",
    ];
    changed("sdk", "/operations/1/response", json!("bytes"), &expected);
    let expected = ["toys: ~ request toys_update: nothing here, object in toys.ToysAPI.update"];
    changed("description", "/paths/~1api~12.0~1toys~1{id}/patch/requestBody", json!(null), &expected);
}

#[test]
fn members_that_come_in_headers_are_not_part_of_the_answer() {
    let mut sdk = sdk();
    sdk["types"]["toys.Toy"]["object"]["served-by"] = json!("string");
    assert_eq!(found(&description(), &sdk), ["toys: + field Toy.served-by: string in toys.Toy"]);
    sdk["operations"][1]["response_headers"] = json!(["served-by"]);
    sdk["types"]["toys.Toy"]["object"]["parent"] = json!({"named": "toys.ToyInfo"});
    assert_eq!(found(&description(), &sdk), [""; 0]);
}
