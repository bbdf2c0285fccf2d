"""What clients do when the answer to an INSERT or to the start of a job is lost: docs/compare.md has the table.

Usage: lost_answer.py BRICK URL TOKEN. The exit code is 1 if `brick` does anything twice.
"""

import json
import os
import subprocess
import sys
import urllib.request

from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

BRICK, URL, TOKEN = sys.argv[1:]
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.devnull, "DATABRICKS_HOST": URL, "DATABRICKS_TOKEN": TOKEN}
INSERT = "INSERT INTO payments VALUES (17)"


def control(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{URL}/__sandbox/{path}", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def brick(*arguments):
    return subprocess.run([BRICK, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=120)


def rows(query):
    return int(brick("sql", "-o", "csv", query).stdout.splitlines()[1])


def with_sdk():
    return WorkspaceClient(config=Config(host=URL, token=TOKEN, config_file=os.devnull))


def insert_with_brick():
    ended = brick("sql", INSERT)
    return f"exit code {ended.returncode}: {ended.stderr.strip().splitlines()[-2]}"


def insert_with_sdk():
    return with_sdk().statement_execution.execute_statement(INSERT, WAREHOUSE).status.state.value


def start_with_brick():
    ended = brick("jobs", "run", JOB, "--no-wait")
    return f"exit code {ended.returncode}"


def start_with_sdk():
    with_sdk().jobs.run_now(int(JOB))
    return "success"


def outcome(act):
    try:
        return act()
    except Exception as error:  # Any error is an answer to the question.
        return f"{type(error).__name__}: {str(error)[:100]}"


def runs():
    return len(json.loads(brick("jobs", "runs", JOB, "-o", "json").stdout))


WAREHOUSE = json.loads(brick("warehouses", "list", "--state", "RUNNING", "-o", "json").stdout)[0]["id"]
JOB = "9007199254740994"

twice = []
for name, act in [("brick", insert_with_brick), ("databricks-sdk", insert_with_sdk)]:
    for loss in ["reset", "503"]:
        assert brick("sql", "CREATE OR REPLACE TABLE payments (id INT)").returncode == 0
        control("POST", "faults", {"rule": f"POST /api/2.0/sql/statements*: times 1 after {loss}"})
        said = outcome(act)
        control("DELETE", "faults")
        count = rows("SELECT count(*) FROM payments")
        print(f"INSERT of one row, {loss} after it ran: {name:14} {count} row(s); {said}")
        twice += [name] * (count != 1)
for name, act in [("brick", start_with_brick), ("databricks-sdk", start_with_sdk)]:
    for loss in ["reset", "503"]:
        before = runs()
        control("POST", "faults", {"rule": f"POST /api/2.*/jobs/run-now: times 1 after {loss}"})
        said = outcome(act)
        control("DELETE", "faults")
        count = runs() - before
        print(f"start of a job, {loss} after it started: {name:14} {count} run(s); {said}")
        twice += [name] * (count != 1)
sys.exit("brick" in twice)
