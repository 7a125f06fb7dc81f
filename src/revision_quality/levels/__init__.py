"""Levels: named thresholds of one wiki and model version."""
