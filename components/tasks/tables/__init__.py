"""Questions about a table, read as short programs over it. No torch here but in `reader`."""
