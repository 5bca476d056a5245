"""The load of rooms and workers, and what of it needs an operator's attention."""
