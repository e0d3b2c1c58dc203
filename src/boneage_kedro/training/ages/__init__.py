"""Bone age from radiographs: its task, augmentation, folds, studies."""
