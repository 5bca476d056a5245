"""What every operation of the store rests on: statements, group commit, the backlog, the circuit breaker."""
