"""Rooms: the commands of members, and who may be in a room and write there."""
