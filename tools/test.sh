#!/bin/sh
# All checks: style, types, architecture, tests. Sets itself up; arguments go to pytest.
# usage: [WORKERS=number] [COVERAGE=1] sh tools/test.sh [argument of pytest …]
# By default there are as many workers as processors, and coverage is not measured: that takes longer.
set -eu
sh "$(dirname "$0")/setup.sh" all
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
export PATH
ruff check .
mypy
lint-imports
measure=
if [ "${COVERAGE:-}" = 1 ]; then
    measure="--cov --cov-append --cov-report="
    rm -f .coverage .coverage.*
fi
none=0 status=0
# first what can share the machine, then what measures time or memory
for group in "not alone" "alone"; do
    [ "$group" = alone ] && workers=0 || workers="${WORKERS:-logical}"
    code=0
    # shellcheck disable=SC2086  # several words, or none
    python -m pytest -n "$workers" --dist loadfile --no-loadscope-reorder $measure -m "$group" "$@" || code=$?
    case $code in
        0) ;;
        5) none=$((none + 1)) ;; # none of the tests asked for is in this group
        *) status=$code ;;
    esac
done
[ "$none" -lt 2 ] || exit 5
[ -z "$measure" ] || coverage report --skip-covered
exit "$status"
