#!/usr/bin/env bash
# Ten configurations, each read by `brick config show` and by the official Python SDK.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/python.sh

need_python 'databricks-sdk==0.156.0'
build_brick
"$python" tests/compare_config.py "$brick"
