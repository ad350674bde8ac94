#!/bin/sh
# reviewdog, which comments on the lines of a change; options of reviewdog may follow.
set -eu
onnx-lint check --output-format rdjson --exit-zero . | reviewdog -f=rdjson -name=onnx-lint "$@"
