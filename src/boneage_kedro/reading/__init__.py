"""Trained networks at work on new radiographs: opening cases, masks, ages, and whether they can be relied on."""
