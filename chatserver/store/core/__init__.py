"""What every operation of the store uses: statements, group commit, the backlog, the circuit breaker, sealing."""
