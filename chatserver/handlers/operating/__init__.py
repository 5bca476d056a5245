"""Operating: the commands of operators, the load of this worker, and its health."""
