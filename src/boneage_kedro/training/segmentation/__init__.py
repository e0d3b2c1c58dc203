"""Segmentation networks: samples, training, what they are judged by."""
