"""Traces as source text, one file per target language."""
