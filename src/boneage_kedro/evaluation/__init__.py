"""Figures of merit, activation maps, plots and reports."""
