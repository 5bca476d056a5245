"""The messages of operators: rooms, announcements, opening hours, raid mode and load."""
