//! `drift` on a small SDK that looks like the real one. Its sources are read by Python: without one there is no test.

use std::{fs, path::Path, process::Command};

use serde_json::Value;
use tempfile::TempDir;

use crate::toy::{Run, xtask};

const COMMON: &str = r"
openapi: 3.0.3
info: {title: Shared, version: 0.1.0}
paths: {}
components:
  schemas:
    ApiError: {type: object}
    EmptyResponse: {type: object}
";

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
  /api/2.0/toys/{id}/repaired:
    patch:
      operationId: toys_repair
      tags: [toys]
      x-repeatable: true
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/RepairToy'}}}
      responses:
        '200':
          description: Done.
          content: {application/json: {schema: {$ref: 'common.yaml#/components/schemas/EmptyResponse'}}}
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
    RepairToy:
      type: object
      properties:
        parts: {type: array, items: {$ref: '#/components/schemas/Part'}}
        mood: {$ref: '#/components/schemas/Mood'}
    Part:
      type: object
      properties:
        kind: {$ref: '#/components/schemas/PartKind'}
        spare: {$ref: '#/components/schemas/Part'}
        weights: {type: array, items: {type: number}}
    PartKind:
      type: string
      enum: [WHEEL]
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
from enum import Enum
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
class Part:
    kind: Optional[PartKind] = None

    spare: Optional[Part] = None

    weights: Optional[List[float]] = None


class PartKind(Enum):
    WHEEL = "WHEEL"


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

    def repair(self, id: str, parts: List[Part], mood: moods.Mood):
        body = {}
        if parts is not None:
            body["parts"] = [v.as_dict() for v in parts]
        if mood is not None:
            body["mood"] = mood.value
        self._api.do("PATCH", f"/api/2.0/toys/{id}/repaired", body=body, headers={})

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
        setting.write("spec/common.yaml", COMMON);
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

    fn draft(&self, operation: &str) -> Run {
        let sdk = format!("--sdk={}", self.path().join("venv").display());
        let spec = format!("--spec={}", self.path().join("spec").display());
        xtask(&["draft", &sdk, &spec, operation])
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
            run.stdout.starts_with("databricks-sdk 7.8.9: 3 operations compared\nno drift\n"),
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

#[test]
fn a_draft_describes_what_the_sdk_has() {
    let Some(setting) = Setting::new() else { return };
    // Without the operation and what only that uses.
    let start = DESCRIPTION.find("  /api/2.0/toys/{id}/repaired:").unwrap();
    let end = DESCRIPTION.find("  /api/2.0/toys/{id}/renamed:").unwrap();
    let description = [&DESCRIPTION[..start], &DESCRIPTION[end..]].concat();
    let start = description.find("    RepairToy:").unwrap();
    let end = description.find("    RenameToy:").unwrap();
    setting.write("spec/toys.yaml", &[&description[..start], &description[end..]].concat());
    let missing = "+ operation PATCH /api/2.0/toys/{id}/repaired: toys.ToysAPI.repair";
    let run = setting.drift("venv", &[]);
    assert!(run.stdout.contains(missing) && run.stdout.contains("1 difference(s)"), "{}", run.stdout);

    let draft = setting.draft("toys.ToysAPI.repair");
    assert!(draft.success, "{}", draft.stderr);
    for lines in [
        "      operationId: toys_repair\n      tags: [toys]\n      x-repeatable: TODO\n",
        "        mood:\n          allOf: [{$ref: '#/components/schemas/Mood'}]\n          description: TODO\n",
        "        weights:\n          type: array\n          items: {type: number, format: double}\n",
        "    PartKind:\n      type: string\n      description: TODO\n      enum:\n        - WHEEL",
    ] {
        assert!(draft.stdout.contains(lines), "{lines}\n{}", draft.stdout);
    }
    let file = format!("openapi: 3.0.3\ninfo: {{title: More, version: 0.1.0}}\n{}", draft.stdout);
    let file = file.replace("'#/components/schemas/Mood'", "'toys.yaml#/components/schemas/Mood'");
    setting.write("spec/toys_more.yaml", &file);
    let spec = setting.path().join("spec");
    let lint = xtask(&["lint-spec".as_ref(), "--spec".as_ref(), spec.as_path()]);
    assert!(!lint.success && lint.stderr.contains("toys_repair: repeatable: "), "{}", lint.stderr);
    setting.write("spec/toys_more.yaml", &file.replace("x-repeatable: TODO", "x-repeatable: false"));
    let lint = xtask(&["lint-spec".as_ref(), "--spec".as_ref(), spec.as_path()]);
    assert!(lint.success, "{}", lint.stderr);
    let run = setting.drift("venv", &[]);
    assert!(run.stdout.contains("3 operations compared\nno drift\n"), "{}", run.stdout);

    let run = setting.draft("toys.ToysAPI.break");
    assert!(
        !run.success && run.stderr.contains("the SDK has no operation toys.ToysAPI.break"),
        "{}",
        run.stderr
    );
}
