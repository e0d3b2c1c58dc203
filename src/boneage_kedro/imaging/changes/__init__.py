"""Radiographs changed on purpose: made worse, put under stress, or unfit to be read."""
