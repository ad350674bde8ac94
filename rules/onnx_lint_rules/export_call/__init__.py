"""The call of the exporter: `torch.onnx.export` and what stands in its arguments."""
