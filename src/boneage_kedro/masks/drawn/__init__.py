"""Masks that people draw: files of annotation tools, outlines, and the queue in which masks are asked for."""
