"""What changed pictures do to predicted ages."""
