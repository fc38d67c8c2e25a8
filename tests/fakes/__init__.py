"""Stand-ins that are real inside: tiny checkpoints built on the spot, and a local Hub that serves them."""
