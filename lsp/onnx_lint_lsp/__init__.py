"""The language server of onnx-lint."""
