"""Interpret: what values flow through traced code, and the sites where they meet something that export freezes."""
