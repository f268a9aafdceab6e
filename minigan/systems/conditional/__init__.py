"""Systems whose samples one can ask for by label."""
