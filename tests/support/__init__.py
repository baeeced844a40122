"""What tests share: a server in a process of its own, and peers that speak each language."""
