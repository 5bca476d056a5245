"""The messages about staff accounts."""
