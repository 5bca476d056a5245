"""Delivers publications to every connection that should show them: each is encoded once, every queue is bounded,
nothing blocks."""
