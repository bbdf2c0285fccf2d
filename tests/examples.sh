#!/usr/bin/env bash
# The library's examples, as a reader would run them, against `brick sandbox`.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/python.sh

build_brick
start_sandbox --delay cluster=50ms,warehouse=50ms
export DATABRICKS_WAREHOUSE_ID=4f1c8a3be02d7719 DATABRICKS_CLUSTER_ID=0710-090000-anlyt1cs
folder=$(mktemp -d)
trap 'kill "$server" 2>/dev/null || true; rm -rf "$log" "$folder"' EXIT
printf '%s\n' "$DATABRICKS_TOKEN" >"$folder/token.txt"
cargo build --quiet --package brickwire-actions --features arrow --examples

# example EXPECTED NAME [ARGUMENT…]: the output must hold the expected text.
example() {
  local expected=$1 name=$2
  shift 2
  local output
  output=$("${CARGO_TARGET_DIR:-target}/debug/examples/$name" "$@") || { printf 'failed: %s\n' "$name"; exit 1; }
  case $output in
    *"$expected"*) printf 'passed: %s\n' "$name" ;;
    *) printf 'failed: %s printed %s\n' "$name" "$output"; exit 1 ;;
  esac
}

example 'on average' first_query
example "$folder/trips.parquet: 21932 rows" parquet_export "$folder/trips.parquet"
example RUNNING wait_for_cluster nightly-etl
example 'HTTP 200' raw_request
example '@' own_credential "$folder/token.txt"
if command -v python3 >/dev/null; then
  example 42 run_code 'print(6 * 7)'
else
  echo 'skipped: run_code needs python3'
fi
