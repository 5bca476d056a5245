"""The content of the wire, without a connection: messages, codes, codecs. Pure, like the domain."""
