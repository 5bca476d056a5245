"""What is true of rooms, people and history. Pure: no await, clock, randomness, logging or environment."""
