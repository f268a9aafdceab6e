"""Batch normalisation, on whatever device its arrays are."""

from minigan.kernels import by_array
from minigan.kernels.cpu import norm as cpu

moments = by_array(cpu.moments)
follow = by_array(cpu.follow)
forward = by_array(cpu.forward)
backward = by_array(cpu.backward)
