"""The messages of moderation."""
