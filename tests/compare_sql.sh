#!/usr/bin/env bash
# The same statements through brick, the vendor's SQL connector and the vendor's Python SDK, against `brick sandbox`; and
# brick's files in pyarrow and DuckDB. With --big: ten million rows to a file.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/python.sh

need_python 'databricks-sdk==0.156.0' 'databricks-sql-connector==4.9.0' 'pyarrow==26.0.1' 'duckdb==2.0.0'
build_brick
# Small chunks, so that a result of some thousand rows has several.
[ "${1-}" = --big ] && chunk=16777216 || chunk=65536
start_sandbox --chunk-bytes "$chunk" --delay warehouse=10ms
"$python" tests/compare_sql.py "$brick" "$DATABRICKS_HOST" "$DATABRICKS_TOKEN" "$@"
