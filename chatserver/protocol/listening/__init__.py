"""The messages of one-to-one listening."""
