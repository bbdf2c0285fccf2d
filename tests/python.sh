# What the scripts share; they source it from the top of the tree. Those that need Python are skipped, loudly, where there is
# no Python or a package can't be had.
# shellcheck shell=bash

# need_python PACKAGE…: sets $python, that of a virtual environment which has them: $venv, or the one of most scripts.
need_python() {
  if ! command -v python3 >/dev/null; then
    echo "SKIPPED: no python3 on this machine"
    exit 0
  fi
  venv=${venv:-target/python-sdk}
  python="$venv/bin/python"
  if ! { { [ -x "$python" ] || python3 -m venv "$venv"; } &&
    "$python" -m pip install --quiet --disable-pip-version-check "$@"; }; then
    echo "SKIPPED: can't be installed: $*"
    exit 0
  fi
}

# build_brick: sets $brick, the program with everything in it.
build_brick() {
  cargo build --quiet --package brickwire-cli --features sandbox,full
  brick="${CARGO_TARGET_DIR:-target}/debug/brick"
}

# start_sandbox OPTION…: sets $DATABRICKS_HOST and $DATABRICKS_TOKEN; it ends with the script.
start_sandbox() {
  log=$(mktemp)
  "$brick" sandbox "$@" >"$log" &
  server=$!
  trap 'kill "$server" 2>/dev/null || true; rm -f "$log"' EXIT
  for _ in $(seq 1200); do
    grep -q DATABRICKS_TOKEN "$log" && break
    kill -0 "$server"
    sleep 0.1
  done
  # shellcheck disable=SC1090
  source "$log"
}
