"""The few hot array kernels that the ops call: plain arrays in, plain arrays out, no gradients, no checks.

cpu/    NumPy (and, through the same calls, CuPy): conv.py, toom_cook.py, norm.py, gemm.py, memory.py
"""
