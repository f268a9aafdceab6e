"""Systems that translate between two kinds of pictures."""
