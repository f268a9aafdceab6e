"""Nets and pieces that several systems share."""
