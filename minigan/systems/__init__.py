"""The generative systems.  Each has one short file in the folder of its family; registry.py finds it and knows it by name.

To add one, copy adversarial/gan.py.  The docstring says what differs from the parent, and for each constant whether it is the
paper's or ours.
"""
