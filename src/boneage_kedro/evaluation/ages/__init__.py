"""Predicted ages: errors, agreement, intervals and their coverage."""
