"""Texts that people write: how they are cleaned, compared and searched."""
