"""Rules about what a model returns."""
