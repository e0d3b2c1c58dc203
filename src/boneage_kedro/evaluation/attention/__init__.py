"""Attention maps: a common frame, regions, checks."""
