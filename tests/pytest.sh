#!/usr/bin/env bash
# The fixtures of docs/test-with-the-sandbox.md, with the real pytest, the official SDK, matplotlib and pandas.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/python.sh

need_python 'databricks-sdk==0.156.0' 'matplotlib>=3.8' 'pandas>=2' 'pytest>=8'
build_brick
# The sandbox's code runs with the first python3, which must be the one that has matplotlib.
PATH="$(cd "$venv/bin" && pwd):$(cd "$(dirname "$brick")" && pwd):$PATH"
pytest=("$python" -m pytest -q -p no:cacheprovider)
export PYTHONDONTWRITEBYTECODE=1

home=$(mktemp -d)
trap 'rm -rf "$home"' EXIT
printf '[prod]\nhost = https://prod.example.com\ntoken = dapi-of-prod\n' >"$home/.databrickscfg"
another=(env HOME="$home" DATABRICKS_CONFIG_PROFILE=prod DATABRICKS_CLIENT_ID=id DATABRICKS_CLIENT_SECRET=secret
  DATABRICKS_HOST=https://prod.example.com)

echo "== a fixture that starts the sandbox"
"${pytest[@]}" tests/pytest/test_workspace.py

echo "== the same, where another workspace is configured"
timeout 600 "${another[@]}" "${pytest[@]}" tests/pytest/test_workspace.py

echo "== brick sandbox -- pytest, where another workspace is configured"
"${another[@]}" "$brick" sandbox -- "${pytest[@]}" tests/pytest/with_environment

echo "== a sandbox in the background"
export XDG_STATE_HOME=$home
eval "$("$brick" sandbox --detach --for 10m)"
trap '"$brick" sandbox --stop >/dev/null; rm -rf "$home"' EXIT
"${pytest[@]}" tests/pytest/with_environment -k names_the_sandbox
eval "$("$brick" sandbox --stop)"
[ -z "${DATABRICKS_HOST-}" ]
