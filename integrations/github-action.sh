#!/usr/bin/env bash
# The steps of action.yml: install the linter of this revision, lint, put a table into the summary of the run.
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
place="${RUNNER_TEMP:-$(mktemp -d)}/onnx-lint"
command="${ONNX_LINT_COMMAND:-}"
if [ -z "$command" ]; then
    "${ONNX_LINT_PYTHON:-python3}" -m venv "$place"
    bin="$place/bin"
    [ -d "$bin" ] || bin="$place/Scripts" # Windows
    "$bin/python" -m pip install --quiet --disable-pip-version-check "$here"
    command="$bin/onnx-lint"
fi
read -r -a paths <<<"${ONNX_LINT_PATHS:-.}"
read -r -a options <<<"${ONNX_LINT_ARGS:-}"
[ -z "${ONNX_LINT_CHANGED_SINCE:-}" ] || options+=(--changed-since "$ONNX_LINT_CHANGED_SINCE")
[ -z "${ONNX_LINT_SARIF:-}" ] || options+=(--output-format "sarif=$ONNX_LINT_SARIF")
[ -z "${GITHUB_STEP_SUMMARY:-}" ] || options+=(--output-format "markdown=$GITHUB_STEP_SUMMARY")
exec "$command" check --output-format github ${options[@]+"${options[@]}"} -- "${paths[@]}"
