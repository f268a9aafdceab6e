"""Systems that write sequences of tokens."""
