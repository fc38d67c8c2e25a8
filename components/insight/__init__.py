"""What goes on inside tokenizers and models, as small arrays and plain data."""
