"""Rules about Python containers that meet traced values."""
