#!/usr/bin/env bash
# The answer to an INSERT, and to the start of a job, is lost after it ran: what brick and the vendor's Python SDK do.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/python.sh

venv=target/python-lost need_python 'databricks-sdk==0.162.0'
build_brick
start_sandbox
"$python" tests/lost_answer.py "$brick" "$DATABRICKS_HOST" "$DATABRICKS_TOKEN"
