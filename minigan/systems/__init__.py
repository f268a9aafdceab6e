"""The generative systems: one short file each, registered by name; registry.py finds them.

To add one, copy gan.py: say in the docstring what differs from its parent, and of every constant whose it is.
"""
