"""How each language speaks: bytes to nouns and back, with no clock and no socket."""
