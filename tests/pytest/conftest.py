"""A workspace for tests: `brick sandbox`, which pytest starts once and ends when it is done."""

import os
import subprocess

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config


@pytest.fixture(scope="session")
def workspace():
    os.environ.pop("DATABRICKS_CONFIG_PROFILE", None)  # The SDK would look for it in the file.
    with subprocess.Popen(["brick", "sandbox"], stdout=subprocess.PIPE, text=True) as sandbox:
        try:
            exports = [sandbox.stdout.readline().strip().removeprefix("export ").split("=", 1) for _ in range(2)]
            host, token = (value for _, value in exports)
            # The type of authentication keeps the SDK from other credentials in the environment.
            yield WorkspaceClient(config=Config(host=host, token=token, auth_type="pat", config_file="/dev/null"))
        finally:
            sandbox.terminate()
