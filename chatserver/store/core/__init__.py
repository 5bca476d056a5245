"""The basis of every operation of the store: statements, group commit, the backlog, the circuit breaker, sealing."""
