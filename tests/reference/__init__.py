"""The obvious slow way of what the package does fast, written to be read."""
