"""Nets, and other parts, that several systems share."""
