#!/usr/bin/env bash
# The official Python SDK, in a virtual environment of its own, against `brick sandbox`.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/python.sh

need_python 'databricks-sdk==0.156.0'
build_brick
start_sandbox --delay cluster=50ms,warehouse=50ms
"$python" tests/python_sdk.py "$DATABRICKS_HOST" "$DATABRICKS_TOKEN"
