"""One page with the tables and figures of a run."""

from .pipeline import create_pipeline

__all__ = ["create_pipeline"]
