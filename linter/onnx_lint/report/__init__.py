"""Renderers: `formats/` holds one file for each value of ``--output-format``."""
