"""torch.distributions, as far as generative models use them: draw (sample; rsample, with gradients), log_prob and entropy.

Normal   MultivariateNormal   Uniform   Bernoulli   Categorical   Independent        kl_divergence(p, q), in closed form
"""

from minigan.torch.distributions.continuous import MultivariateNormal, Normal, Uniform
from minigan.torch.distributions.discrete import Bernoulli, Categorical
from minigan.torch.distributions.distribution import Distribution, Independent
from minigan.torch.distributions.kl import kl_divergence, register_kl
from minigan.torch.missing import missing_from

__getattr__ = missing_from(__name__)
