"""A real-time peer-support chat server."""

__version__ = "0.1.0"
