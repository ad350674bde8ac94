"""Export PyTorch models to ONNX, verify them, and pin every failure on its line."""
