#!/usr/bin/env bash
# The official Python SDK, in a virtual environment of its own, against `brick sandbox`.
# Skipped, loudly, where there is no Python or the SDK can't be had.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v python3 >/dev/null; then
  echo "SKIPPED: no python3 on this machine"
  exit 0
fi
venv=target/python-sdk
[ -x "$venv/bin/python" ] || python3 -m venv "$venv"
if ! "$venv/bin/python" -m pip install --quiet 'databricks-sdk==0.156.0'; then
  echo "SKIPPED: databricks-sdk can't be installed"
  exit 0
fi

cargo build --quiet --features sandbox
log=$(mktemp)
target/debug/brick sandbox --delay cluster=50ms,warehouse=50ms >"$log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
for _ in $(seq 300); do
  grep -q DATABRICKS_TOKEN "$log" && break
  kill -0 "$server"
  sleep 0.1
done
# shellcheck disable=SC1090
source "$log"
"$venv/bin/python" tests/python_sdk.py "$DATABRICKS_HOST" "$DATABRICKS_TOKEN"
