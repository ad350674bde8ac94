"""Renderers: one file for each output format."""
