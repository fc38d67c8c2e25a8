"""The parts the tour is made of; see the README's architecture section for who may import whom."""
