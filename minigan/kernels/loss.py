"""Losses with their gradients, on whatever device their arrays are."""

from minigan.kernels import by_array
from minigan.kernels.cpu import loss as cpu

logits_loss = by_array(cpu.logits_loss)
logits_loss_gradient = by_array(cpu.logits_loss_gradient)
