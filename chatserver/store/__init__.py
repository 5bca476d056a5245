"""The only authority: facts, their order, and what is kept about anybody."""
