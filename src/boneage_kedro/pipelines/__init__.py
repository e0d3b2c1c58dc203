"""The named pipelines: wiring, nodes and their parameters."""
