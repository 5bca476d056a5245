"""The exchange on one worker."""
