"""Results drawn as escaped HTML. Everything here is a pure function of plain values."""
