"""Label maps: reading them, their frames, and refining them by a dense CRF."""
