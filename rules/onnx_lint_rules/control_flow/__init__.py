"""Rules about Python control flow in traced code."""
