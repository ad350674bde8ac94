"""Rules about tensors that share memory."""
