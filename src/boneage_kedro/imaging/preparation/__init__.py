"""Preparing a radiograph: its frame, orientation and intensity, told from the picture."""
