"""torch.nn.functional's functions, under its names and argument names (`dim` where NumPy says `axis`)."""

from minigan.ops import batch_norm, conv1d, conv2d, conv_transpose2d, embedding, linear, one_hot  # noqa: F401
