"""Frames, their columns, their numbers and their index."""
