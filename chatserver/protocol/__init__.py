"""What the wire says, without touching a wire: messages, codes, codecs. Pure, like the domain."""
