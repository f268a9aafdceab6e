"""The few hot array kernels that the ops call: plain arrays in, plain arrays out, no gradients, no checks.

dispatch.py   what the ops import: one table of which kernel runs where        threads.py   how many threads work on one
cpu/          the kernels on NumPy's arrays                                    cuda/        those for a GPU: *.cu, *.py
"""

from minigan import moved

moved.guard(__name__)
