#!/bin/sh
# All checks: style, types, architecture, tests with coverage. Sets itself up; arguments go to pytest.
set -eu
sh "$(dirname "$0")/setup.sh" all
cd "$(dirname "$0")/.."
PATH="$PWD/.venv/bin:$PATH"
export PATH
ruff check .
mypy
lint-imports
python -m pytest --cov --cov-report=term:skip-covered "$@"
