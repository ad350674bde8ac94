"""The rules of onnx-lint."""
