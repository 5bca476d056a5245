"""The messages of the exchange."""
