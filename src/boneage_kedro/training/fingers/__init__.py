"""Finger bones: self-training with the dense CRF as the teacher (paper 000)."""
