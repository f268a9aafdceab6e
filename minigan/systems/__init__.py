"""The generative systems: one short file each in a folder of its family, registered by name; registry.py finds them.

To add one, copy adversarial/gan.py: say in the docstring what differs from its parent, and of every constant whose it is.
"""
