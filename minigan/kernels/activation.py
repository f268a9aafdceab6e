"""Bias, leaky relu, softplus, sigmoid and masks, on whatever device their arrays are."""

from minigan.kernels import by_array
from minigan.kernels.cpu import activation as cpu

add_bias = by_array(cpu.add_bias)
bias_gradient = by_array(cpu.bias_gradient)
leaky_relu = by_array(cpu.leaky_relu)
leaky_relu_gradient = by_array(cpu.leaky_relu_gradient)
softplus = by_array(cpu.softplus)
sigmoid = by_array(cpu.sigmoid)
bell = by_array(cpu.bell)
kept = by_array(cpu.kept)
