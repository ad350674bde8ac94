#!/bin/sh
# All checks: style, types, architecture, tests with coverage. Sets itself up; arguments go to pytest.
# usage: [WORKERS=number] sh tools/test.sh [argument of pytest …]      (default: as many workers as processors)
set -eu
sh "$(dirname "$0")/setup.sh" all
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
export PATH
ruff check .
mypy
lint-imports
rm -f .coverage .coverage.*
none=0
# first what can share the machine, then what measures time or memory
for group in "not alone" "alone"; do
    [ "$group" = alone ] && workers=0 || workers="${WORKERS:-logical}"
    python -m pytest -n "$workers" --dist loadfile --no-loadscope-reorder --cov --cov-append --cov-report= \
        -m "$group" "$@" || { [ $? -eq 5 ] && none=$((none + 1)); } # 5: none of the tests asked for is in this group
done
[ "$none" -lt 2 ] || exit 5
coverage report --skip-covered
