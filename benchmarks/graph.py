"""What does one op of a long chain cost, and does the cost stay the same as the chain grows?

    python benchmarks/graph.py [--quick]

y = y * 0.9999 on 4 elements, forward and backward, so that arithmetic hardly counts: this is the engine's own time.  Linear
growth means the microseconds per op stay level.  PyTorch beside it, in turns, where it is installed.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import compare, environment

import minigan as mg

FACTOR = 0.9999

def our_chain(n):
    """The gradient of a chain of n products, which is FACTOR^n."""
    x = mg.ones(4, requires_grad=True)
    y = x
    for _ in range(n):
        y = y * FACTOR
    return mg.grad(y, x, mg.ones(4))[0].numpy()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="short chains, once: checks that the benchmark runs and is right")
    quick = parser.parse_args().quick
    try:
        import torch
    except ImportError:
        torch = None
    print(environment())
    print(f"{'ops':>8}{'minigan us/op':>15}{'PyTorch us/op':>15}{'ratio':>8}")
    for n in (10, 200) if quick else (10, 200, 1_000, 10_000, 100_000):
        np.testing.assert_allclose(our_chain(n), FACTOR**n, rtol=1e-2)

        def their_chain(n=n):
            x = torch.ones(4, requires_grad=True)
            y = x
            for _ in range(n):
                y = y * FACTOR
            return torch.autograd.grad(y, x, torch.ones(4))

        repeat = max(1, 2_000 // n)
        mine, other, ratio, _ = compare(lambda n=n: our_chain(n), torch and their_chain, 1 if quick else 5, repeat)
        theirs = f"{1e6 * other / n:>15.2f}{ratio:>8.2f}" if torch else f"{'-':>15}{'-':>8}"
        print(f"{n:>8}{1e6 * mine / n:>15.2f}{theirs}")


if __name__ == "__main__":
    main()
