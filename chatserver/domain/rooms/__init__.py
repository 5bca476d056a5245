"""Themed rooms: what may be said there, how they are set up, split and moderated."""
