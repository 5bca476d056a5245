"""Real parts for tests: servers that can be killed, frozen and restarted, a client, a browser."""
