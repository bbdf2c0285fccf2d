"""A workspace for tests: `brick sandbox`, which pytest starts once and ends when it is done."""

import subprocess

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config


@pytest.fixture(scope="session")
def workspace():
    with subprocess.Popen(["brick", "sandbox"], stdout=subprocess.PIPE, text=True) as sandbox:
        exports = [sandbox.stdout.readline().strip().removeprefix("export ").split("=", 1) for _ in range(2)]
        host, token = (value for _, value in exports)
        yield WorkspaceClient(config=Config(host=host, token=token, config_file="/dev/null"))
        sandbox.terminate()
