"""Losses as modules: each holds the options of a function of nn.functional."""

from minigan.errors import ConfigError
from minigan.nn import functional as F
from minigan.nn.module import Module
from minigan.tensor import Tensor


class _Loss(Module):
    """A loss of (input, target): the function of nn.functional whose name is `function`, with the options kept here.

    weights: name -> Tensor, array or None; they are buffers, so that they move with the module.
    """

    function = ""

    def __init__(self, reduction="mean", weights=(), **options):
        super().__init__()
        if reduction not in ("mean", "sum", "none", "batchmean"):
            raise ConfigError(f"{type(self).__name__}: reduction is 'mean', 'sum' or 'none', not {reduction!r}")
        self.reduction, self.options = reduction, options
        for name, value in dict(weights).items():
            self.register_buffer(name, value)

    def forward(self, input, target) -> Tensor:
        """The loss: a scalar, or with reduction "none" one value per element or sample."""
        weights = {name: getattr(self, name) for name in self._buffers}
        return getattr(F, self.function)(input, target, reduction=self.reduction, **weights, **self.options)

    def extra_repr(self):
        return ", ".join(f"{name}={value!r}" for name, value in {**self.options, "reduction": self.reduction}.items())


class MSELoss(_Loss):
    """(input - target)^2, reduced."""

    function = "mse_loss"

    def __init__(self, reduction="mean"):
        super().__init__(reduction)


class L1Loss(_Loss):
    """|input - target|, reduced."""

    function = "l1_loss"

    def __init__(self, reduction="mean"):
        super().__init__(reduction)


class SmoothL1Loss(_Loss):
    """With d = |input - target|: d^2 / (2 beta) if d < beta, else d - beta / 2, reduced.   Girshick 2015."""

    function = "smooth_l1_loss"

    def __init__(self, reduction="mean", beta=1.0):
        super().__init__(reduction, beta=beta)


class HuberLoss(_Loss):
    """With d = |input - target|: d^2 / 2 if d < delta, else delta (d - delta / 2), reduced.   Huber 1964."""

    function = "huber_loss"

    def __init__(self, reduction="mean", delta=1.0):
        super().__init__(reduction, delta=delta)


class CrossEntropyLoss(_Loss):
    """-log softmax(input)[target], reduced.   input: logits (N, K, ...);  target: classes (N, ...) or probabilities."""

    function = "cross_entropy"

    def __init__(self, weight=None, ignore_index=-100, reduction="mean", label_smoothing=0.0):
        super().__init__(reduction, {"weight": weight}, ignore_index=ignore_index, label_smoothing=label_smoothing)


class NLLLoss(_Loss):
    """-input[target], reduced.   input: log-probabilities (N, K, ...);  target: classes (N, ...)."""

    function = "nll_loss"

    def __init__(self, weight=None, ignore_index=-100, reduction="mean"):
        super().__init__(reduction, {"weight": weight}, ignore_index=ignore_index)


class BCELoss(_Loss):
    """-t log p - (1 - t) log(1 - p), reduced.   input p: probabilities;  target t in [0, 1].

    BCEWithLogitsLoss, without the Sigmoid before it, is exact where p would round to 0 or 1.
    """

    function = "binary_cross_entropy"

    def __init__(self, weight=None, reduction="mean"):
        super().__init__(reduction, {"weight": weight})


class BCEWithLogitsLoss(_Loss):
    """BCELoss of sigmoid(input), without overflow.   input: logits;  target in [0, 1]."""

    function = "binary_cross_entropy_with_logits"

    def __init__(self, weight=None, reduction="mean", pos_weight=None):
        super().__init__(reduction, {"weight": weight, "pos_weight": pos_weight})


class KLDivLoss(_Loss):
    """target (log target - input), reduced.   input: log-probabilities;  target: probabilities, or (log_target) logs.

    reduction "batchmean", the sum divided by the batch size, is the divergence; "mean" divides by all elements.
    """

    function = "kl_div"

    def __init__(self, reduction="mean", log_target=False):
        super().__init__(reduction, log_target=log_target)


class PoissonNLLLoss(_Loss):
    """rate - target log rate, reduced.   input: log rate, or the rate (log_input=False)."""

    function = "poisson_nll_loss"

    def __init__(self, log_input=True, full=False, eps=1e-8, reduction="mean"):
        super().__init__(reduction, log_input=log_input, full=full, eps=eps)


class GaussianNLLLoss(_Loss):
    """(log var + (input - target)^2 / var) / 2, reduced.   Called with (input, target, var)."""

    function = "gaussian_nll_loss"

    def __init__(self, *, full=False, eps=1e-6, reduction="mean"):
        super().__init__(reduction, full=full, eps=eps)

    def forward(self, input, target, var) -> Tensor:  # type: ignore[override]  # it has one more argument
        """The loss."""
        return F.gaussian_nll_loss(input, target, var, reduction=self.reduction, **self.options)


class HingeEmbeddingLoss(_Loss):
    """input where target is 1, max(0, margin - input) where it is -1, reduced.   Hadsell et al. 2006."""

    function = "hinge_embedding_loss"

    def __init__(self, margin=1.0, reduction="mean"):
        super().__init__(reduction, margin=margin)


class CosineEmbeddingLoss(_Loss):
    """1 - cos where target is 1, max(0, cos - margin) where it is -1, reduced.   Called with (input1, input2, target)."""

    function = "cosine_embedding_loss"

    def __init__(self, margin=0.0, reduction="mean"):
        super().__init__(reduction, margin=margin)

    def forward(self, input1, input2, target) -> Tensor:  # type: ignore[override]
        """The loss."""
        return F.cosine_embedding_loss(input1, input2, target, reduction=self.reduction, **self.options)


class TripletMarginLoss(_Loss):
    """max(0, |anchor - positive|_p - |anchor - negative|_p + margin), reduced.   Called with the three.   Schroff et al.
    2015.
    """

    function = "triplet_margin_loss"

    def __init__(self, margin=1.0, p=2.0, eps=1e-6, swap=False, reduction="mean"):
        super().__init__(reduction, margin=margin, p=p, eps=eps, swap=swap)

    def forward(self, anchor, positive, negative) -> Tensor:  # type: ignore[override]
        """The loss."""
        return F.triplet_margin_loss(anchor, positive, negative, reduction=self.reduction, **self.options)
