#!/usr/bin/env bash
# Programs of others that speak to a workspace, unchanged, against `brick sandbox`: Airflow's operators, lsql, and a Rust
# client.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/python.sh

venv=target/python-ecosystem
need_python 'apache-airflow-providers-databricks==7.23.0' 'databricks-labs-lsql==0.17.0'
build_brick
start_sandbox --delay cluster=50ms,warehouse=50ms,run=50ms
warehouse=$("$brick" warehouses list -o csv | awk -F, '/RUNNING/ { print $1; exit }')
"$python" tests/with_airflow.py "$DATABRICKS_HOST" "$DATABRICKS_TOKEN" "$warehouse"
"$python" tests/with_lsql.py "$DATABRICKS_HOST" "$DATABRICKS_TOKEN"
# It needs OpenSSL's headers, which not every machine has.
if cargo build --quiet --manifest-path tests/rust_client/Cargo.toml --target-dir target/rust-client; then
  target/rust-client/debug/rust-client "$warehouse"
else
  echo "SKIPPED: the other Rust client can't be built here"
fi
