"""The three convolutions, on whatever device their arrays are."""

from minigan.kernels import by_array
from minigan.kernels.cpu import conv as cpu

conv2d = by_array(cpu.conv2d)
conv2d_adjoint = by_array(cpu.conv2d_adjoint)
conv2d_weight = by_array(cpu.conv2d_weight)
