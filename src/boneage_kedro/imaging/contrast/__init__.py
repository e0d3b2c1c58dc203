"""Brightness and contrast of a hand: how it is exposed, and how another tone is given to it."""
