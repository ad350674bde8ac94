"""Rules of our house for onnx-lint."""
