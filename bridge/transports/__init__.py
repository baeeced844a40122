"""How each language moves: sockets and seats, one file a language."""
