#!/bin/sh
# Make .venv with everything for development, once; later runs find it as it is.
# usage: sh tools/setup.sh [lint|all]      lint: the linter alone; all (default): with all extras and the development tools
# PYTHON names the interpreter, python3 by default.
set -eu
cd "$(dirname "$0")/.."
python="${PYTHON:-python3}"
what="${1:-all}"
stamp=".venv/.ready-$(cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)-$what"
[ ! -f "$stamp" ] || exit 0

is_new_enough='import sys; sys.exit(sys.version_info < (3, 10))'
if [ ! -x .venv/bin/python ] || ! .venv/bin/python -c "$is_new_enough"; then
    if ! "$python" -c "$is_new_enough"; then
        echo "onnx-lint needs Python 3.10 or newer; $python is $("$python" --version 2>&1). Name another: PYTHON=python3.12 sh $0" >&2
        exit 1
    fi
    echo "Making .venv with $("$python" --version 2>&1) …" >&2
    "$python" -m venv --clear .venv # one of an older Python is made anew
fi
pip() {
    .venv/bin/python -m pip install --quiet --disable-pip-version-check "$@"
}
pip --upgrade "pip>=25.1"
if [ "$what" = lint ]; then
    echo "Installing the linter: libcst and rich, about 7 MB …" >&2
    pip -c constraints.txt -e .
else
    echo "Installing everything: torch (200 MB, gigabytes where no build without GPU packages is found), onnx, test tools …" >&2
    pip -c constraints.txt -e ".[lsp,export,watch,completion]" --group dev
fi
touch "$stamp"
