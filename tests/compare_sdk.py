"""The same work by `brick` and by the vendor's SDK for Python; docs/compare.md has the figures.

Usage: compare_sdk.py BRICK URL TOKEN. The exit code is 1 if `brick` does anything twice or misses a row.
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import urllib.request
from importlib.metadata import version

from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config

BRICK, URL, TOKEN = sys.argv[1:]
ENVIRONMENT = {"PATH": os.environ["PATH"], "HOME": os.devnull, "DATABRICKS_HOST": URL, "DATABRICKS_TOKEN": TOKEN}
INSERT = "INSERT INTO payments VALUES (17)"
TRIPS = "SELECT * FROM samples.nyctaxi.trips"
JOB = "9007199254740994"
LIST = "from databricks.sdk import WorkspaceClient\nfor one in WorkspaceClient().clusters.list(): print(one.cluster_id)"

SDK = WorkspaceClient(config=Config(host=URL, token=TOKEN, config_file=os.devnull))


def brick(*arguments):
    return subprocess.run([BRICK, *arguments], env=ENVIRONMENT, capture_output=True, text=True, timeout=120)


def json_of(*arguments):
    return json.loads(brick(*arguments, "-o", "json").stdout)


WAREHOUSE = json_of("warehouses", "list", "--state", "RUNNING")[0]["id"]


def report(what, client, result):
    print(f"{what:21}  {client:14}  {result}")


def with_fault(rule, act):
    """What a client says while the sandbox follows a rule."""
    control("POST", {"rule": rule})
    try:
        return act()
    except Exception as error:  # Any error is an answer to the question.
        return f"{type(error).__name__}: {error}"
    finally:
        control("DELETE")


def control(method, body=None):
    data = None if body is None else json.dumps(body).encode()
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{URL}/__sandbox/faults", data, headers, method=method)
    with urllib.request.urlopen(request) as answer:
        return answer.read()


def insert_with_brick():
    ended = brick("sql", INSERT)
    first = next(line for line in ended.stderr.splitlines() if line.startswith("error: "))
    return f"exit code {ended.returncode}, {first.split('`')[0].rstrip(': ')}"


def insert_with_sdk():
    return SDK.statement_execution.execute_statement(INSERT, WAREHOUSE).status.state.value


def start_with_brick():
    return f"exit code {brick('jobs', 'run', JOB, '--no-wait').returncode}"


def start_with_sdk():
    return f"run {'started' if SDK.jobs.run_now(int(JOB)).response.run_id else 'not started'}"


def lost_answers():
    """How often the work was done, by client, and what the client says."""
    for loss in ["reset", "503"]:
        for name, act in [("brick", insert_with_brick), ("databricks-sdk", insert_with_sdk)]:
            assert brick("sql", "CREATE OR REPLACE TABLE payments (id INT)").returncode == 0
            said = with_fault(f"POST /api/2.0/sql/statements*: times 1 after {loss}", act)
            rows = json_of("sql", "SELECT count(*) AS rows FROM payments")[0]["rows"]
            report(f"INSERT, then {loss}", name, f"{rows} row(s); {said}")
            yield name, rows
        for name, act in [("brick", start_with_brick), ("databricks-sdk", start_with_sdk)]:
            before = len(json_of("jobs", "runs", JOB))
            said = with_fault(f"POST /api/2.*/jobs/run-now: times 1 after {loss}", act)
            runs = len(json_of("jobs", "runs", JOB)) - before
            report(f"job start, then {loss}", name, f"{runs} run(s); {said}")
            yield name, runs


def rows_of_one_call():
    answer = SDK.statement_execution.execute_statement(TRIPS, WAREHOUSE)
    lines = brick("sql", "-o", "csv", TRIPS).stdout.count("\n") - 1
    total, chunks = answer.manifest.total_row_count, answer.manifest.total_chunk_count
    report("one call", "brick", f"{lines} of {total} rows in {chunks} chunks")
    report("one call", "databricks-sdk", f"{len(answer.result.data_array)} of {total} rows")
    return lines == total


def cpu_seconds(command):
    """The median of five runs, in a process each."""
    seconds = []
    for _ in range(5):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=ENVIRONMENT, check=True, stdout=subprocess.DEVNULL)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        seconds.append(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
    return statistics.median(seconds)


print(f"databricks-sdk {version('databricks-sdk')} for Python, {brick('--version').stdout.strip()}")
did_once = all(count == 1 for name, count in list(lost_answers()) if name == "brick")
has_all_rows = rows_of_one_call()
for client, command in [("brick", [BRICK, "clusters", "list", "-o", "name"]), ("databricks-sdk", [sys.executable, "-c", LIST])]:
    report("list clusters", client, f"{cpu_seconds(command):.2f} s of CPU time")
sys.exit(not (did_once and has_all_rows))
