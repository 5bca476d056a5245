"""One-to-one listening: the queue, the listeners and the sessions between them, as one state that commands change."""
