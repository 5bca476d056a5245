"""Between the socket and the handlers: bytes, strangers, and the web's own rules."""
