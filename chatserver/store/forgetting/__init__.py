"""Deleting what has expired, and what an erased member wrote."""
