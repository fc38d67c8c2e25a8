"""Training and evaluating the checkpoints that this repository ships, and the lab's own."""
