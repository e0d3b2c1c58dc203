"""Fitting a network: batches, augmentation, stages, checkpoints, the loop."""
