"""What the functions of our library `house_kernels` do, for onnx-lint. The library itself is never imported."""
