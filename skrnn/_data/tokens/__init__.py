"""Symbols, words and token ids."""
