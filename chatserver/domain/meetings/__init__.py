"""Meetings: gatherings whose phases and turns follow a script, and which people steer."""
