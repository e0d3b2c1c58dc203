"""A packed model behind HTTP: a page for people and an interface for programs."""
