"""Support groups and their meetings: commands, what people are shown, and what is due."""
