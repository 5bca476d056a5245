"""Moderation: the commands, the enforcement of measures, and what moderators are shown."""
