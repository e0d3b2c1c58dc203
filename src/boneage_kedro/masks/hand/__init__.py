"""The hand: its mask, what it must be like, and radiographs cut to it."""
