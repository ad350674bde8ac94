"""Rules about traced values that become Python, NumPy or constant values."""
