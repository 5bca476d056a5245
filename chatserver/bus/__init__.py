"""Messages between workers. The bus may lose, repeat or reorder them; offsets decide, never the bus."""
