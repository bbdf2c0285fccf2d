//! Every rule has a description that breaks it; the finding names the operation or the schema, and the rule.

use crate::toy::Toy;

/// Breaks the toy description in one place and expects one finding there.
#[track_caller]
fn breaks(rule: &str, place: &str, from: &str, to: &str) {
    breaks_in("toys.yaml", rule, place, from, to);
}

#[track_caller]
fn breaks_in(file: &str, rule: &str, place: &str, from: &str, to: &str) {
    let toy = Toy::new();
    toy.edit(file, from, to);
    let run = toy.lint();
    assert!(!run.success, "{rule} lets {to:?} pass");
    assert!(run.stderr.contains(&format!("{place}: {rule}: ")), "{to:?} gives\n{}", run.stderr);
}

#[test]
fn the_toy_description_has_no_findings() {
    let run = Toy::new().lint();
    assert!(run.success, "{}", run.stderr);
    assert!(run.stderr.contains("10 operations"), "{}", run.stderr);
}

#[test]
fn version() {
    breaks_in("common.yaml", "version", "openapi", "openapi: 3.0.3", "openapi: 3.1.0");
    breaks_in("common.yaml", "version", "info", "version: 0.1.0", "version: 0.1–beta");
}

#[test]
fn operation_id() {
    breaks("operation-id", "GET /api/2.0/toys", "operationId: toys_list", "summary2: x");
    breaks("operation-id", "listToys", "operationId: toys_list", "operationId: listToys");
    breaks("operation-id", "exec", "operationId: toys_list", "operationId: exec");
    breaks("operation-id", "with_transport", "operationId: toys_list", "operationId: with_transport");
    breaks("operation-id-unique", "toys_get", "operationId: toys_delete", "operationId: toys_get");
}

#[test]
fn tag() {
    breaks("tag", "toys_list", "tags: [toys]", "tags: [toys, games]");
    breaks("tag", "toys_list", "      tags: [toys]\n", "");
}

#[test]
fn repeatable() {
    breaks("repeatable", "toys_create", "      x-repeatable: false\n", "");
    breaks("repeatable", "toys_update_part", "      x-repeatable: true\n", "");
}

#[test]
fn extension() {
    breaks("extension", "toys_create", "x-repeatable: false", "x-repeatable: maybe");
    breaks("extension", "Toy", "x-secret: true", "x-sekret: true");
}

#[test]
fn success() {
    let created = "'200': {description: The toy., content: {application/json: {schema: {$ref: '#/components/schemas/Toy'}}}}\n        4XX: *error";
    breaks("success", "toys_create", created, &format!("{created}\n        '202': {{description: Later.}}"));
    breaks("success", "toys_create", created, &format!("{created}\n        default: *error"));
    breaks("success", "toys_create", created, "4XX: *error");
}

#[test]
fn response_content() {
    let from = "'200': {description: An empty object., content: {application/json:";
    let to = "'200': {description: An empty object., content: {application/scim+json:";
    breaks("response-content", "toys_update_part", from, to);
    breaks(
        "response-content",
        "toys_update_part",
        "{application/json: {schema: {type: object}}}",
        "{application/json: {}}",
    );
    let file = "'200': {description: The picture., content: {application/octet-stream:";
    breaks("response-content", "toybox_download_picture", file, &file.replace("octet-stream", "pdf"));
    let two =
        file.replace("{application/octet", "{application/json: {schema: {type: object}}, application/octet");
    breaks("response-content", "toybox_download_picture", file, &two);
}

#[test]
fn body() {
    let create = "content: {application/json: {schema: {$ref: '#/components/schemas/CreateToy'}}}";
    breaks("body-content", "toys_create", create, &create.replace("application/json", "multipart/form-data"));
    let two = "content: {application/json: {schema: {type: object}}, text/plain: {schema: {type: string}}}";
    breaks("body-content", "toys_create", create, two);
    breaks("body-content", "toys_create", create, "content: {application/json: {}}");
    let file = "content: {application/octet-stream: {}}}\n      responses";
    breaks("body-content", "toybox_frame_picture", file, &file.replace("octet-stream", "pdf"));
    let optional = file.replace("content:", "required: false, content:");
    breaks("body-required", "toybox_frame_picture", &format!("required: true, {file}"), &optional);
    breaks("body-required", "toys_create", &format!("required: true, {create}"), create);
}

#[test]
fn parameters() {
    let owner = "{name: owner, in: query, required: true, schema: {type: string}";
    breaks("parameter-in", "toys_list", owner, &owner.replace("in: query", "in: header"));
    for name in ["body", "content", "sink"] {
        breaks("parameter-name", "toys_list", owner, &owner.replace("owner", name));
    }
    breaks("parameter-name", "toys_list", owner, &owner.replace("owner", "pageSize"));
    breaks("parameter-type", "toys_list", owner, &owner.replace("{type: string}", "{type: object}"));
    breaks(
        "parameter-type",
        "toys_list",
        owner,
        &owner.replace("{type: string}", "{type: array, items: {type: string}}"),
    );
    let states = "{name: filter_by.states, in: query,";
    breaks("parameter-style", "toys_list", states, &format!("{states} explode: false,"));
    breaks("parameter-style", "toys_list", states, &format!("{states} style: deepObject,"));
    breaks("parameter-style", "toys_list", states, &format!("{states} x-wildcard: true,"));
    let number = "{name: number, in: path, required: true,";
    breaks("parameter-required", "toys_update_part", number, "{name: number, in: path,");
    breaks("path-template", "toys_update_part", number, "{name: nr, in: path, required: true,");
    breaks("path-template", "toybox_list", "/toybox/{file_path}", "/toybox{file_path}");
}

#[test]
fn references() {
    breaks(
        "reference",
        "toys_get",
        "#/components/schemas/Toy'}}}}\n    delete",
        "#/components/schemas/Toi'}}}}\n    delete",
    );
    let parent = "parent: {$ref: '#/components/schemas/Toy'}";
    let beside = "parent: {$ref: '#/components/schemas/Toy', description: x}";
    breaks("reference", "Toy.parent", parent, beside);
    breaks("reference", "Toy", parent, "parent: {$ref: 'https://toys.example/toy.json'}");
}

#[test]
fn schema_names() {
    breaks("schema-name", "Toy", "    Toy:\n", "    toy: {type: object}\n    Toy:\n");
    breaks("schema-name", "Option", "    Toy:\n", "    Option: {type: object}\n    Toy:\n");
    breaks("query-name", "toys_list", "    Toy:\n", "    ToysListQuery: {type: object}\n    Toy:\n");
}

#[test]
fn property_names() {
    breaks("property-name", "Toy", "        size:", "        _id: {type: string}\n        size:");
    breaks("property-name", "Toy", "        size:", "        is-camel: {type: string}\n        size:");
    breaks("property-name", "Toy", "        size:", "        extra: {type: string}\n        size:");
    breaks("required", "Toy", "required: [id]", "required: [ident]");
}

#[test]
fn keywords() {
    let anything = "anything: {}";
    breaks("keyword", "Toy.anything", anything, "anything: {anyOf: [{type: string}, {type: integer}]}");
    breaks("keyword", "Toy.anything", anything, "anything: {allOf: [{type: object}, {type: object}]}");
    breaks(
        "additional-properties",
        "Toy.anything",
        anything,
        "anything: {type: object, additionalProperties: true}",
    );
    breaks("additional-properties", "Toy", "additionalProperties: {}", "additionalProperties: false");
    breaks("type", "Toy.anything", anything, "anything: {type: [string, 'null']}");
    breaks("type", "Toy.anything", anything, "anything: {type: array}");
    breaks("type", "Toy.anything", anything, "anything: {type: integer, format: uint64}");
    breaks(
        "secret",
        "Toy.tags",
        "{type: object, additionalProperties: {type: string}}",
        "{type: object, additionalProperties: {type: string, x-secret: true}}",
    );
    breaks(
        "alias",
        "Toy.tags",
        "{type: object, additionalProperties: {type: string}}",
        "{type: object, additionalProperties: {type: string, x-alias: labels}}",
    );
}

#[test]
fn inline_schemas_and_constraints() {
    let anything = "anything: {}";
    breaks("inline", "Toy.anything", anything, "anything: {type: string, enum: [A]}");
    breaks(
        "inline",
        "Toy.anything",
        anything,
        "anything: {type: array, items: {type: object, properties: {a: {}}}}",
    );
    let owner = "{name: owner, in: query, required: true, schema: {type: string}";
    breaks("inline", "toys_list", owner, &owner.replace("{type: string}", "{type: string, enum: [A]}"));
    breaks(
        "inline",
        "toys_get",
        "$ref: '#/components/schemas/Toy'}}}}\n    delete",
        "type: object, properties: {}}}}}\n    delete",
    );
    breaks("title", "Toy.anything", anything, "anything: {type: object, title: Thing}");
    breaks("constraint", "Toy.anything", anything, "anything: {type: integer, minimum: 1}");
    breaks("constraint", "Toy.anything", anything, "anything: {type: boolean, default: true}");
    breaks("constraint", "toys_list", "schema: {type: integer}}", "schema: {type: integer, default: 20}}");
}

#[test]
fn enums() {
    let colours = "enum: [RED, BLUE]";
    breaks("enum", "Colour", colours, "enum: [RED, 'red']");
    breaks("enum", "Colour", colours, "enum: [a-b, 'a b']");
    breaks("enum", "Colour", colours, "enum: [UNKNOWN_VALUE]");
    breaks("enum", "Colour", colours, "enum: [1, 2]");
    breaks("enum", "Mood", "{type: string, enum: [happy", "{enum: [happy");
}

#[test]
fn all_findings_are_listed_at_once() {
    let toy = Toy::new();
    toy.edit("toys.yaml", "      x-repeatable: false\n", "");
    toy.edit("toys.yaml", "enum: [RED, BLUE]", "enum: [RED, red]");
    let run = toy.lint();
    assert!(
        run.stderr.contains("toys_create: repeatable") && run.stderr.contains("Colour: enum"),
        "{}",
        run.stderr
    );
}

#[test]
fn what_cannot_be_merged_names_file_and_place() {
    let twice = "openapi: 3.0.3\ninfo: {title: More, version: 0.1.0}\n";
    for (text, expected) in [
        ("paths: {/api/2.0/toys: {get: {operationId: toys_again}}}\n", ["zoo.yaml", "GET /api/2.0/toys"]),
        ("components: {schemas: {Toy: {type: object}}}\n", ["zoo.yaml", "`Toy` is defined twice"]),
        ("paths: {/api/2.0/games: {fetch: {}}}\n", ["zoo.yaml", "`fetch`"]),
        ("paths: {a: {}\n", ["zoo.yaml", "cannot parse"]),
    ] {
        let toy = Toy::new();
        toy.add("zoo.yaml", &format!("{twice}{text}"));
        let run = toy.lint();
        assert!(
            !run.success && expected.iter().all(|part| run.stderr.contains(part)),
            "{text}{}",
            run.stderr
        );
    }
    let toy = Toy::new();
    toy.edit("toys.yaml", "components/parameters/toyId", "components/parameters/toyID");
    assert!(toy.lint().stderr.contains("nothing is defined at #/components/parameters/toyID"));
}
