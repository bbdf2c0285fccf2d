//! What a shell gets when TAB is pressed: commands, and live ids and names; never an error.

use crate::{
    program::{Brick, Ran},
    workspace::Workspace,
};

/// Completes the last word of this line.
fn completed(brick: Brick, line: &str) -> Ran {
    let brick = brick.env("COMPLETE", "bash").env("_BRICK_LINE", line).env("_BRICK_BREAKS", "=:");
    brick.args("-- brick").run().done().silent()
}

#[test]
fn commands_clusters_and_warehouses() {
    let workspace = Workspace::fresh();
    for (line, expected) in [
        ("brick clusters term", "terminate"),
        ("brick clusters get ni", "nightly-etl"),
        ("brick clusters get 0710-090100", "0710-090100-n1ghtly0"),
        ("brick contexts create -c sha", "shared-analytics"),
        ("brick warehouses get 4f1", "4f1c8a3be02d7719"),
        ("brick catalogs get sam", "samples"),
        ("brick schemas get samples.ny", "samples.nyctaxi"),
        ("brick tables get sam", "samples."),
        ("brick tables get samples.ny", "samples.nyctaxi."),
        ("brick tables get samples.nyctaxi.tr", "samples.nyctaxi.trips"),
        ("brick volumes list samples.ny", "samples.nyctaxi"),
        ("brick volumes get main.default.fi", "main.default.files"),
        ("brick files ls /V", "/Volumes/"),
        ("brick files ls /Volumes/ma", "/Volumes/main/"),
        ("brick files ls /Volumes/main/def", "/Volumes/main/default/"),
        ("brick files ls /Volumes/main/default/fi", "/Volumes/main/default/files/"),
        ("brick files cat /Volumes/main/default/files/re", "/Volumes/main/default/files/readme.txt"),
        ("brick files cat /Volumes/main/default/files/lan", "/Volumes/main/default/files/landing/"),
        ("brick files rm /Workspace/Shared/import/ch", "/Workspace/Shared/import/check"),
        ("brick files cp /Workspace/Sh", "/Workspace/Shared/"),
        ("brick models get main.default.", "main.default.churn"),
        ("brick serving query databricks-echo-c", "databricks-echo-chat"),
        ("brick users get gra", "grace.sandbox@example.com"),
        ("brick groups get data", "data-engineers"),
        ("brick service-principals get nig", "nightly-deployment"),
        ("brick registry get ch", "churn"),
        ("brick pipelines run tri", "trips"),
        ("brick cluster-policies get Sha", "Shared\\ Compute"),
        ("brick instance-pools get war", "warm-pool"),
        ("brick libraries list sha", "shared-analytics"),
        ("brick clusters list --columns no", "node_type"),
        ("brick clusters list --columns id,st", "id,state"),
        ("brick jobs list --columns sched", "schedule"),
        ("brick clusters list --state RUNNI", "RUNNING"),
        ("brick clusters list --state PENDING,RUNNI", "PENDING,RUNNING"),
        ("brick warehouses ls --state STOPPE", "STOPPED"),
        // Two warehouses have this name, so it would be refused.
        ("brick sql -w Rep", "8d20b5ce9913fa46"),
    ] {
        let ran = completed(workspace.brick(""), line);
        assert!(ran.text().lines().any(|found| found.starts_with(expected)), "{line}: {}", ran.text());
    }
}

#[test]
fn parameters_come_from_the_sql_on_the_line() {
    let sql = "SELECT :region, ':no' -- :neither\nWHERE day = :day_from;\nSELECT :region";
    for line in [
        "brick sql -f a.sql -P ",
        "brick sql --file=a.sql -P ",
        "brick sql \"SELECT :region, :day_from\" -P ",
    ] {
        let ran = completed(Brick::new("").file("a.sql", sql), line);
        assert_eq!(ran.text(), "region=\nday_from=\n", "{line}");
    }
    assert_eq!(
        completed(Brick::new("").file("a.sql", sql), "brick sql -f a.sql -P da").text(),
        "day_from=\n"
    );
    for line in ["brick sql -f missing.sql -P ", "brick sql -f /dev/zero -P ", "brick sql -P "] {
        assert_eq!(completed(Brick::new(""), line).text(), "", "{line}");
    }
}

#[test]
fn a_profile_on_the_line_is_used_to_look_up_names() {
    let workspace = Workspace::fresh();
    let config = format!("[work]\nhost = {}\ntoken = {}\n", workspace.sandbox.url(), workspace.token);
    for line in ["brick -p work clusters get ni", "brick --profile=work clusters get ni"] {
        let ran = completed(Brick::new("").file(".databrickscfg", &config), line);
        assert_eq!(ran.text(), "nightly-etl\n", "{line}");
    }
}

#[test]
fn profiles() {
    let config =
        "[work]\nhost = https://a.cloud.databricks.com\ntoken = dapi-S3CR3T\n[home]\nhost = https://b.x\n";
    let ran = completed(Brick::new("").file(".databrickscfg", config), "brick whoami --profile wo");
    assert!(ran.text().starts_with("work") && !ran.printed().contains("S3CR3T"), "{}", ran.text());
}

#[test]
fn nothing_to_ask_is_no_error() {
    assert_eq!(completed(Brick::new(""), "brick clusters get ni").text(), "");
    let workspace = Workspace::fresh();
    let wrong = workspace.brick("").env("DATABRICKS_TOKEN", "dapi-wrong");
    assert_eq!(completed(wrong, "brick clusters get ni").text(), "");
    // A service that stalls is given up on.
    let workspace = Workspace::fresh();
    workspace.fault("*: hang");
    assert_eq!(completed(workspace.brick(""), "brick clusters get ni").text(), "");
}

#[test]
fn every_shell_has_its_line() {
    for shell in ["bash", "zsh", "fish", "powershell"] {
        let ran = Brick::new(&format!("completions {shell}")).run().done().silent();
        assert!(ran.text().contains("COMPLETE"), "{shell}: {}", ran.text());
    }
    Brick::new("completions csh").run().fails(2, &["csh"]);
}
