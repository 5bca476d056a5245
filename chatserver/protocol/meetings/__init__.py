"""The messages of support groups and their meetings."""
