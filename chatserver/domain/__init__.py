"""The rules for rooms, people and history. Pure: no await, clock, randomness, logging or environment."""
