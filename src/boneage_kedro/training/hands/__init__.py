"""Hands: a committee, its questions and the answers (paper 001, active learning)."""
