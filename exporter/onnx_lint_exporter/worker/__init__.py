"""What runs in the user's interpreter: load, export, check, run, compare, and report what was seen.

Self-contained on purpose: it imports torch, onnx, onnxruntime and the standard library, and of this project only its
own modules, by relative imports. It is started by path, so ``onnx_lint`` need not be installed beside torch.
"""
