"""What a shipped checkpoint reaches, measured through the very task code that answers visitors."""
