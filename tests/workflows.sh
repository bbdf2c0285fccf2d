#!/usr/bin/env bash
# Checks the files in .github: zizmor for security and mistakes in workflows, check-jsonschema for their shape. Needs
# Python and a package index, and is skipped with a word where there is none.
set -euo pipefail
cd "$(dirname "$0")/.."

environment=target/python-workflows
if ! command -v python3 >/dev/null; then
    echo "SKIPPED: there is no python3"
    exit 0
fi
if ! [ -x "$environment/bin/zizmor" ] || ! [ -x "$environment/bin/check-jsonschema" ]; then
    rm -rf "$environment"
    if ! { python3 -m venv "$environment" &&
        "$environment/bin/pip" install --quiet zizmor==1.32.0 check-jsonschema==0.39.0; }; then
        rm -rf "$environment"
        echo "SKIPPED: zizmor and check-jsonschema cannot be installed"
        exit 0
    fi
fi

"$environment/bin/zizmor" --offline --quiet --persona pedantic .github
check="$environment/bin/check-jsonschema"
"$check" --builtin-schema vendor.github-workflows .github/workflows/*.yml
"$check" --builtin-schema vendor.dependabot .github/dependabot.yml
