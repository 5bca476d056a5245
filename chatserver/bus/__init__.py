"""Between workers: may lose, repeat or reorder. Offsets decide, never the bus."""
