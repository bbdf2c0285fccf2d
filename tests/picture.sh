#!/usr/bin/env bash
# Checks that docs/picture.svg shows what `brick` prints against the sandbox; with --write, draws it. BRICK names another
# program than the debug build.
set -euo pipefail
cd "$(dirname "$0")/.."
source tests/python.sh

venv=target/python-picture need_python pyte==0.8.2
brick=${BRICK:-}
[ -n "$brick" ] || build_brick
"$python" tests/picture.py "$brick" docs/picture.svg "$@"
