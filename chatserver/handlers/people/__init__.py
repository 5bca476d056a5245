"""Members and staff: who they are, how they sign in, and how a connection learns of a change."""
