"""Radius and ulna: the detector of their block, and networks inside it (paper 002)."""
