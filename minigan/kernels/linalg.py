"""Products of matrices, on whatever device they are."""

from minigan.kernels import by_array
from minigan.kernels.cpu import linalg as cpu

matmul = by_array(cpu.matmul)
