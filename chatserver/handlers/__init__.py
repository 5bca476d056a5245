"""What each command does: load, decide, save, publish. The same nouns as `domain/`."""
