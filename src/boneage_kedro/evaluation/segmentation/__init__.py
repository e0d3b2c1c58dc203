"""Masks and boxes against reference ones."""
