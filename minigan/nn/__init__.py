"""Networks: modules and layers under PyTorch's names."""

from minigan.nn.module import Module, ModuleList, Parameter, Sequential

__all__ = ["Module", "ModuleList", "Parameter", "Sequential"]
