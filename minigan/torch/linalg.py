"""torch.linalg, as far as minigan has it."""

import minigan as mg
from minigan.torch.functions import norm, over
from minigan.torch.missing import missing_from

inv, det, slogdet, cholesky, eigh, svd, solve = (
    over(getattr(mg, name)) for name in ("inv", "det", "slogdet", "cholesky", "eigh", "svd", "solve")
)


def vector_norm(x, ord=2, dim=None, keepdim=False):
    """(the sum of |x|^ord)^(1/ord)."""
    return norm(x, ord, dim, keepdim)


__getattr__ = missing_from(__name__)
