#!/bin/sh
# Export a model with hazards and its repaired twin with both engines; their pages and the model go to a temporary folder.
set -eu
sh "$(dirname "$0")/setup.sh" all
cd "$(dirname "$0")/.."
made="$(mktemp -d)"
for twin in hazards repaired; do
    echo "--- examples/transformer_block_$twin.py"
    .venv/bin/onnx-lint --export "examples/transformer_block_$twin.py:TransformerBlock" \
        --input 'x:float32[b,s=4,32]' --input 'lengths:int64[b]=1..4' \
        --output "$made/$twin.onnx" --report "$made/$twin.html" || [ $? -eq 1 ]
done
ls -l "$made"
