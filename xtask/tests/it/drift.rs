//! `drift` on a small SDK that looks like the real one. Its sources are read by Python: without one there is no test.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::toy::{Run, xtask};

const DESCRIPTION: &str = r"
openapi: 3.0.3
info: {title: Toys, version: 0.1.0}
paths:
  /api/2.0/toys:
    get:
      operationId: toys_list
      tags: [toys]
      parameters:
        - {name: max_results, in: query, schema: {type: integer}}
      responses:
        '200': {description: A page., content: {application/json: {schema: {$ref: '#/components/schemas/ListToys'}}}}
  /api/2.0/toys/{id}/renamed:
    post:
      operationId: toys_rename
      tags: [toys]
      x-repeatable: true
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/RenameToy'}}}
      responses:
        '200': {description: The toy., content: {application/json: {schema: {$ref: '#/components/schemas/Toy'}}}}
components:
  schemas:
    ListToys:
      type: object
      properties:
        toys: {type: array, items: {$ref: '#/components/schemas/Toy'}}
        next_page_token: {type: string}
    RenameToy:
      type: object
      properties:
        name: {type: string}
    Toy:
      type: object
      properties:
        displayName: {type: string}
        mood: {$ref: '#/components/schemas/Mood'}
        parts: {type: object, additionalProperties: {type: array, items: {type: integer}}}
        since: {type: string}
    Mood:
      type: string
      enum: [GLAD, SAD]
";

const MOODS: &str = r#"
from __future__ import annotations
from enum import Enum


class Mood(Enum):
    """How a toy feels."""

    GLAD = "GLAD"
    SAD = "SAD"
"#;

const TOYS: &str = r#"
from __future__ import annotations
from dataclasses import dataclass
from typing import Any, Dict, Iterator, List, Optional
import not_installed

from databricks.sdk.service import moods


@dataclass
class Toy:
    display_name: Optional[str] = None
    """What a child calls it."""

    mood: Optional[moods.Mood] = None

    parts: Optional[Dict[str, List[int]]] = None

    since: Optional[Timestamp] = None

    def as_dict(self) -> dict:
        body = {}
        if self.display_name is not None:
            body["displayName"] = self.display_name
        if self.mood is not None:
            body["mood"] = self.mood.value
        return body


@dataclass
class ListToysResponse:
    next_page_token: Optional[str] = None

    toys: Optional[List[Toy]] = None


class ToysAPI:
    def list(self, *, max_results: Optional[int] = None) -> Iterator[Toy]:
        query = {}
        if max_results is not None:
            query["max_results"] = max_results
        headers = {"Accept": "application/json"}
        while True:
            json = self._api.do("GET", "/api/2.0/toys", query=query, headers=headers)
            if "toys" in json:
                for v in json["toys"]:
                    yield Toy.from_dict(v)
            if "next_page_token" not in json or not json["next_page_token"]:
                return
            query["page_token"] = json["next_page_token"]

    def rename(self, id: str, name: str) -> Toy:
        body = {}
        if name is not None:
            body["name"] = name
        res = self._api.do("POST", f"/api/2.0/toys/{id}/renamed", body=body, headers={})
        return Toy.from_dict(res)

    def rename_and_wait(self, id: str, name: str) -> Toy:
        return self.rename(id=id, name=name)
"#;

/// A description, an SDK that agrees with it, and an empty list of what is meant.
struct Setting {
    folder: TempDir,
}

impl Setting {
    /// `None`, and a word about it, where no Python is.
    fn new() -> Option<Self> {
        if !["python3", "python"].iter().any(|name| Command::new(name).arg("--version").output().is_ok()) {
            eprintln!("SKIPPED: there is no Python");
            return None;
        }
        let setting = Self { folder: tempfile::tempdir().unwrap() };
        setting.write("spec/toys.yaml", DESCRIPTION);
        setting.write("drift.yaml", "[]");
        setting
            .write("venv/lib/python3.99/site-packages/databricks/sdk/version.py", "__version__ = '7.8.9'\n");
        setting.sdk("toys.py", TOYS);
        setting.sdk("moods.py", MOODS);
        Some(setting)
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn write(&self, file: &str, text: &str) {
        let path = self.path().join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn sdk(&self, file: &str, text: &str) {
        self.write(&format!("venv/lib/python3.99/site-packages/databricks/sdk/service/{file}"), text);
    }

    /// Compares with the SDK at `sdk`.
    fn drift(&self, sdk: &str, more: &[&str]) -> Run {
        let arguments = [
            "drift".to_owned(),
            format!("--sdk={}", self.path().join(sdk).display()),
            format!("--spec={}", self.path().join("spec").display()),
            format!("--allowed={}", self.path().join("drift.yaml").display()),
        ];
        xtask(&arguments.into_iter().chain(more.iter().map(ToString::to_string)).collect::<Vec<_>>())
    }
}

#[test]
fn no_drift_wherever_the_sdk_is_found() {
    let Some(setting) = Setting::new() else { return };
    for place in
        ["venv", "venv/lib/python3.99/site-packages", "venv/lib/python3.99/site-packages/databricks/sdk"]
    {
        let run = setting.drift(place, &[]);
        assert_eq!(run.code, Some(0), "{}", run.stdout + &run.stderr);
        assert!(
            run.stdout.starts_with("databricks-sdk 7.8.9: 2 operations compared\nno drift\n"),
            "{}",
            run.stdout
        );
        assert!(!run.stdout.contains("not understood"), "{}", run.stdout);
    }
}

#[test]
fn drift_is_reported_unless_it_is_meant() {
    let Some(setting) = Setting::new() else { return };
    setting.sdk("moods.py", &MOODS.replace("    SAD = \"SAD\"", "    ANGRY = \"ANGRY\""));
    setting.sdk("toys.py", &TOYS.replace("max_results", "limit").replace("[str, List[int]]", "[str, Any]"));
    let run = setting.drift("venv", &[]);
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    let expected = "\
toys
  + parameter toys_list.limit: integer
  + value Mood.ANGRY: in moods.Mood
  - parameter toys_list.max_results: not in toys.ToysAPI.list
  - value Mood.SAD: not in moods.Mood
  ~ field Toy.parts: list of integer here, any in the SDK

5 difference(s) in 1 service(s); + only the SDK has it, - only the description";
    assert!(run.stdout.contains(expected), "{}", run.stdout);

    setting.write(
        "drift.yaml",
        "- reason: The service sends it.\n  differences: ['- value Mood.SAD', '- value Mood.BORED']\n\
         - reason: A test.\n  differences: ['+ *', '* field Toy.*', '- parameter toys_list.max_results']\n"
            .replace("'* field", "'~ field")
            .as_str(),
    );
    let run = setting.drift("venv", &[]);
    assert_eq!(run.code, Some(0), "{}", run.stdout + &run.stderr);
    assert!(run.stdout.contains("no drift\n5 difference(s) are meant\n"), "{}", run.stdout);
    assert!(run.stdout.contains("stale: ") && run.stdout.contains("- value Mood.BORED"), "{}", run.stdout);
    assert!(!run.stdout.contains("Mood.SAD"), "{}", run.stdout);

    let report: Value = serde_json::from_str(&setting.drift("venv", &["--json"]).stdout).unwrap();
    assert_eq!((&report["version"], &report["drift"]), (&"7.8.9".into(), &Value::Array(vec![])));
    assert_eq!(report["stale"], serde_json::json!(["- value Mood.BORED"]));
    let sad = report["meant"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["difference"]["name"] == "value Mood.SAD");
    assert_eq!(sad.unwrap()["reason"], "The service sends it.");
}

#[test]
fn what_cannot_be_compared_has_an_exit_code_of_its_own() {
    let Some(setting) = Setting::new() else { return };
    let run = setting.drift("spec", &[]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("no databricks-sdk in "), "{}", run.stderr);
    assert_eq!(run.stdout, "");

    setting.sdk("toys.py", "def broken(:\n");
    let run = setting.drift("venv", &[]);
    assert_eq!(run.code, Some(2));
    assert!(
        run.stderr.contains("cannot read the SDK in ") && run.stderr.contains("SyntaxError"),
        "{}",
        run.stderr
    );

    setting.sdk("toys.py", "");
    let run = setting.drift("venv", &[]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("no operation was found"), "{}", run.stderr);

    setting.write("drift.yaml", "- differences: []\n");
    let run = setting.drift("venv", &[]);
    assert_eq!(run.code, Some(2));
    assert!(run.stderr.contains("drift.yaml") && run.stderr.contains("reason"), "{}", run.stderr);
}

#[test]
fn what_the_reader_does_not_understand_is_told() {
    let Some(setting) = Setting::new() else { return };
    setting.sdk("toys.py", &TOYS.replace("Optional[Timestamp]", "Optional[Stopwatch]"));
    let run = setting.drift("venv", &[]);
    assert_eq!(run.code, Some(1));
    assert!(run.stdout.contains("~ field Toy.since: string here, any in the SDK"), "{}", run.stdout);
    assert!(run.stdout.contains("not understood: toys.py:"), "{}", run.stdout);
}
