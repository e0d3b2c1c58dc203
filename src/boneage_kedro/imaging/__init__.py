"""Pictures: reading files, intensity, geometry, the image store."""
