#!/usr/bin/env bash
# The figures of docs/compare.md: brick and the vendor's SDK for Python against the sandbox. Run by hand.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/python.sh

venv=target/python-compare need_python 'databricks-sdk==0.162.0'
brick=${BRICK:-}
[ -n "$brick" ] || build_brick
# Small chunks, so that a result of some thousand rows has several.
start_sandbox --chunk-bytes 65536 2>/dev/null
"$python" tests/compare_sdk.py "$brick" "$DATABRICKS_HOST" "$DATABRICKS_TOKEN"
