"""A parametric hand radiograph with its truth: for tests, demos and method comparison, never for medicine."""
