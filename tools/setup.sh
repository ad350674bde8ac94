#!/bin/sh
# Make .venv with everything for development, once; later runs find it as it is.
# usage: . tools/setup.sh [requirement …]      (default: the project with all extras, and the development tools)
set -eu
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
stamp=".venv/.ready-$(cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)-${1:-all}"
if [ ! -f "$stamp" ]; then
    [ -x .venv/bin/python ] || "$python" -m venv .venv
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
    if [ "${1:-all}" = "lint" ]; then
        .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
    else
        .venv/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[lsp,export]" --group dev
    fi
    touch "$stamp"
fi
