"""Bone age from hand radiographs, as a Kedro project."""

__version__ = "0.1.0"
