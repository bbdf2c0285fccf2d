//! `brick help`: as text as before, and as JSON that an agent can afford.

use serde_json::{Value, json};

use crate::program::Brick;

fn help(command: &str) -> Value {
    Brick::new(&format!("help {command} --json")).run().done().silent().json()
}

#[test]
fn brick_lists_its_commands_and_a_group_its_own() {
    let root = help("");
    let names = |of: &Value| -> Vec<String> {
        of["commands"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["name"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!((&root["exit_codes"]["2"], &root["name"]), (&json!("invalid usage"), &json!("brick")));
    assert!(names(&root).len() > 30 && names(&root).contains(&"clusters".to_owned()), "{root}");
    let group = help("clusters");
    assert!(names(&group).contains(&"start".to_owned()) && group.get("options").is_none(), "{group}");
    let leaf = help("clusters start");
    assert!(
        leaf["usage"].is_string() && leaf["examples"][0].is_string() && leaf["exit_codes"]["0"].is_string(),
        "{leaf}"
    );
}

#[test]
fn options_have_their_defaults_and_values() {
    let wait = help("clusters wait");
    let timeout =
        wait["options"].as_array().unwrap().iter().find(|one| one["name"] == "--timeout <DURATION>");
    assert_eq!(timeout.unwrap()["default"], "20m");
    let root = help("");
    let output =
        root["options"].as_array().unwrap().iter().find(|one| one["name"] == "-o, --output <FORMAT>");
    assert!(output.unwrap()["values"].as_array().unwrap().contains(&json!("jsonl")), "{root}");
}

#[test]
fn help_as_text_is_what_the_option_prints() {
    for command in ["", "sql", "clusters", "clusters list"] {
        let option = Brick::new(&format!("{command} --help")).run().done().silent();
        let words = Brick::new(&format!("help {command}")).run().done().silent();
        assert_eq!(words.text(), option.text(), "{command}");
    }
    let nested = Brick::new("clusters help list").run().done().silent();
    assert_eq!(nested.text(), Brick::new("clusters list --help").run().done().text());
    let json = Brick::new("help clusters list -o json").run().done().silent().json();
    assert_eq!(json["name"], "brick clusters list");
}

#[test]
fn an_unknown_command_is_a_usage_error() {
    Brick::new("help clusters lst").run().fails(2, &["brick clusters has no command \"lst\""]);
    Brick::new("help sql x --json").run().fails(2, &["brick sql has no command \"x\""]);
}

#[test]
fn the_skill_is_short() {
    let ran = Brick::new("skill").run().done().silent();
    assert!(ran.text().starts_with("---\nname: brick\ndescription: "), "{}", ran.text());
    assert!(ran.text().lines().count() <= 120, "{}", ran.text().lines().count());
}
