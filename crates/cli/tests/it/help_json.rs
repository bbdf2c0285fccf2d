//! `brick help`: as text as before, and as JSON that an agent can afford.

use serde_json::{Value, json};

use crate::program::Brick;

fn help(command: &str) -> (Value, usize) {
    let ran = Brick::new(&format!("help {command} --json")).run().done().silent();
    (ran.json(), ran.text().trim_end().len())
}

#[test]
fn every_command_fits_into_three_kilobytes() {
    let (root, bytes) = help("");
    assert!(bytes <= 10_000, "{bytes}");
    assert_eq!(
        (&root["exit_codes"]["0"], &root["name"]),
        (&json!("done, or already in the requested state"), &json!("brick"))
    );
    let mut open: Vec<String> = root["commands"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    assert!(open.len() > 30 && open.contains(&"clusters".to_owned()), "{open:?}");
    // Each run is a process, so the largest groups stand for all; a unit test has the limit.
    open.retain(|name| ["sql", "run", "clusters", "api", "files", "jobs"].contains(&name.as_str()));
    let mut seen = 0;
    while let Some(command) = open.pop() {
        let (found, bytes) = help(&command);
        assert!(bytes <= 3000, "{command}: {bytes}");
        assert_eq!(found["name"], json!(format!("brick {command}")));
        match found["commands"].as_array() {
            Some(inner) => {
                open.extend(inner.iter().map(|one| format!("{command} {}", one["name"].as_str().unwrap())))
            }
            None => {
                assert!(found["usage"].is_string() && found["examples"][0].is_string(), "{found}");
                seen += 1;
            }
        }
    }
    assert!(seen > 20, "{seen}");
}

#[test]
fn options_have_their_defaults_and_values() {
    let (wait, _) = help("clusters wait");
    let timeout =
        wait["options"].as_array().unwrap().iter().find(|one| one["name"] == "--timeout <DURATION>");
    assert_eq!(timeout.unwrap()["default"], "20m");
    let (root, _) = help("");
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
