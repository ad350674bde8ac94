"""What libraries do: Python's own functions, torch, NumPy and their companions."""
