"""One-to-one listening: the commands, and one worker's part in keeping the queue moving."""
