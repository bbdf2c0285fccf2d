"""Airflow's operators against a sandbox: a submitted run, a job that is run, one that fails and is repaired, and SQL.

python3 tests/with_airflow.py URL TOKEN WAREHOUSE
"""

import json
import logging
import os
import pathlib
import sys
import tempfile
from urllib.parse import urlsplit

url, token, warehouse = sys.argv[1:]
home = tempfile.mkdtemp()
address = urlsplit(url)
connection = {
    "conn_type": "databricks",
    "host": address.hostname,
    "port": address.port,
    "schema": address.scheme,
    "password": token,
}
# Airflow reads these while it is imported.
os.environ |= {
    "AIRFLOW_HOME": home,
    "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    "AIRFLOW__LOGGING__LOGGING_LEVEL": "ERROR",
    "AIRFLOW_CONN_DATABRICKS_DEFAULT": json.dumps(connection),
}

from airflow.exceptions import AirflowException  # noqa: E402
from airflow.providers.databricks.hooks.databricks import DatabricksHook  # noqa: E402
from airflow.providers.databricks.operators.databricks import (  # noqa: E402
    DatabricksCreateJobsOperator,
    DatabricksRunNowOperator,
    DatabricksSQLStatementsOperator,
    DatabricksSubmitRunOperator,
)

logging.disable(logging.WARNING)


class TaskInstance(dict):
    """As much of a task instance as operators look at outside of a scheduler."""

    dag_id, task_id, run_id, try_number, map_index, stats_tags = "dag", "task", "manual", 1, -1, {}

    def xcom_push(self, key, value, **_):
        self[key] = value


def run(operator, **arguments):
    instance = TaskInstance()
    operator(task_id="task", polling_period_seconds=1, **arguments).execute({"ti": instance})
    return instance


hook = DatabricksHook("databricks_default")
script = pathlib.Path(home, "script.py")
script.write_text("import sys\nprint('ran with', sys.argv[1:])\n")
task = {"task_key": "script", "spark_python_task": {"python_file": f"file:{script}", "parameters": ["1"]}}

run_id = run(DatabricksSubmitRunOperator, tasks=[task])["run_id"]
task_run = hook.get_run(run_id)["tasks"][0]
assert hook.get_run_output(task_run["run_id"])["logs"] == "ran with ['1']\n"

run_id = run(DatabricksRunNowOperator, job_name="daily-report", job_parameters={"day": "2026-01-01"})["run_id"]
assert hook.get_run_state(run_id).is_successful

try:
    run(DatabricksRunNowOperator, job_name="nightly-import")
except AirflowException as error:
    assert "2 of 3 files are damaged" in str(error), error
else:
    raise AssertionError("a job that fails did not fail")

create = {"name": "from-airflow", "tasks": [task]}
job_id = DatabricksCreateJobsOperator(task_id="task", json=create).execute({})
again = DatabricksCreateJobsOperator(task_id="task", json=create | {"timeout_seconds": 60}).execute({})
assert job_id == again
settings = hook._do_api_call(("GET", "2.2/jobs/get"), {"job_id": job_id})["settings"]
assert settings["timeout_seconds"] == 60, settings

assert run(DatabricksSQLStatementsOperator, statement="SELECT 1", warehouse_id=warehouse)["statement_id"]
try:
    run(DatabricksSQLStatementsOperator, statement="SELEKT 1", warehouse_id=warehouse)
except AirflowException as error:
    assert "PARSE_SYNTAX_ERROR" in str(error), error
else:
    raise AssertionError("a wrong statement did not fail")
print("Airflow: submit, run now, a failure, create and reset, SQL")
