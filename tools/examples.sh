#!/bin/sh
# Lint the examples: sets itself up on a machine that has Python 3.10 or newer and pip.
set -eu
sh "$(dirname "$0")/setup.sh" lint
cd "$(dirname "$0")/.."
.venv/bin/onnx-lint examples || [ $? -eq 1 ]
