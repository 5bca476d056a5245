"""The only authority: the facts, their order, and everything that is kept about people."""
