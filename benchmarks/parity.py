"""Does every op and layer on a GPU give the results of float64 on the CPU?

    python benchmarks/parity.py [--device cuda|cpu] [--json]

It compares values and gradients in float32: of every case of every op (minigan/optable.py), and of layers with the sizes of
real nets.  Errors must be within 1e-4 of the largest number of the same result; for layers with TF32, within 1e-3.  (Ops are
not checked with TF32: their cases are tiny, and if a sum of three products is nearly 0, TF32's rounding error is larger than
that.)  The exit code is 1 if a check fails, and the output names it.   --device cpu runs the same checks without a GPU; it
tests this program, not the GPU.
"""

import argparse
import json
import sys
from functools import partial
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent))
from harness import markdown

import minigan as mg
from minigan import nn, optable
from minigan.backend import check_device, device_of, to_device
from minigan.errors import DeviceError
from minigan.tensor import Tensor, plain

TOLERANCE, TF32_TOLERANCE = 1e-4, 1e-3

# With products rounded as in TF32, on the CPU, its error is 0.09, because it uses exp(-distance) and the sign of differences.
TOO_STEEP_FOR_TF32 = nn.MinibatchDiscrimination
# A layer, and the shape of its input.
LAYERS = [
    (lambda: nn.Linear(100, 64), (32, 100)),
    (lambda: nn.Conv1d(3, 8, 5, padding=2), (16, 3, 20)),
    (lambda: nn.Conv2d(3, 64, 4, 2, 1), (16, 3, 28, 28)),
    (lambda: nn.Conv2d(64, 128, 4, 2, 1), (16, 64, 14, 14)),
    (lambda: nn.Conv2d(16, 32, 3, padding=2, dilation=2, groups=4), (8, 16, 9, 7)),
    (lambda: nn.ConvTranspose2d(128, 64, 4, 2, 1), (16, 128, 7, 7)),
    (lambda: nn.ConvTranspose2d(64, 1, 4, 2, 1), (16, 64, 14, 14)),
    (lambda: nn.BatchNorm1d(50), (64, 50)),
    (lambda: nn.BatchNorm2d(64), (16, 64, 14, 14)),
    (lambda: nn.InstanceNorm2d(8, affine=True), (4, 8, 9, 9)),
    (lambda: nn.LayerNorm(40), (32, 40)),
    (lambda: nn.GroupNorm(4, 16), (8, 16, 7, 7)),
    (lambda: nn.PReLU(), (32, 40)),
    (lambda: nn.ELU(), (32, 40)),
    (lambda: nn.GELU(), (32, 40)),
    (lambda: nn.SiLU(), (32, 40)),
    (lambda: nn.Softmax(1), (32, 40)),
    (lambda: nn.LogSoftmax(1), (32, 40)),
    (lambda: nn.MaxPool2d(2), (8, 4, 14, 14)),
    (lambda: nn.AvgPool2d(3, 2), (8, 4, 14, 14)),
    (lambda: nn.Upsample(scale_factor=2), (4, 3, 7, 7)),
    (lambda: nn.PixelShuffle(2), (4, 12, 7, 7)),
    (lambda: nn.ReflectionPad2d(2), (4, 3, 9, 9)),
    (lambda: nn.LSTM(10, 20, batch_first=True), (8, 12, 10)),
    (lambda: nn.GRU(10, 20, batch_first=True), (8, 12, 10)),
    (lambda: nn.MinibatchDiscrimination(30), (16, 30)),
]


def cases():
    """Yield (name, run, also with TF32?): run(device, dtype) returns the outputs of a call, and the Tensors whose gradients are
    checked."""
    for name, op in sorted(optable.TABLE.items()):
        for i, (call, *shapes) in enumerate(op.cases):
            rng = np.random.default_rng([i, *name.encode()])
            yield f"{name}, case {i}", partial(run_op, call, [np.asarray(op.numbers(rng, shape)) for shape in shapes]), False
    for make, shape in LAYERS:
        x = np.random.default_rng(0).standard_normal(shape)
        yield repr(make())[:70], partial(run_layer, make, x), not isinstance(make(), TOO_STEEP_FOR_TF32)


def run_op(call, arrays, device, dtype):
    """See cases."""
    inputs = [there(a, device, dtype).requires_grad_() for a in arrays]
    return flat(call(*inputs)), inputs


def run_layer(make, x, device, dtype):
    """See cases."""
    mg.seed(0)  # the same weights every time
    layer, x = make().to(dtype).to(device), there(x, device, dtype).requires_grad_()
    return flat(layer(x)), [x, *layer.parameters()]


def there(array, device, dtype) -> Tensor:
    """The array, rounded to float32, in that dtype on that device."""
    return Tensor(to_device(np.asarray(array, np.float32).astype(dtype), device))


def flat(outputs) -> list:
    """The Tensors in nested tuples."""
    return [outputs] if isinstance(outputs, Tensor) else [y for part in outputs for y in flat(part)]


def results(run, device, dtype) -> list:
    """The outputs and gradients as float64 arrays."""
    outputs, inputs = run(device, dtype)
    ends = [y for y in outputs if y.requires_grad]
    # Fixed numbers between 1/2 and 1, the same for all devices and dtypes.
    towards = [there(1 - 0.5 * np.random.default_rng(y.shape).random(y.shape), device, y.dtype) for y in ends]
    gradients = mg.grad(ends, inputs, towards, allow_unused=True) if ends else []
    # NumPy returns numbers where CuPy returns arrays without axes.
    found = [np.asarray(a) if isinstance(a, np.generic) else a for a in map(plain, (*outputs, *gradients)) if a is not None]
    assert all(device_of(a) == check_device(device) for a in found), "a result is on another device"
    return [to_device(a, "cpu").astype(np.float64) for a in found]


def off(found, true) -> float:
    """The largest error, relative to the largest number of its result."""
    assert [a.shape for a in found] == [b.shape for b in true], "shapes differ"
    return max((float(abs(a - b).max() / max(abs(b).max(), 1e-30)) for a, b in zip(found, true) if b.size), default=0.0)


def main(arguments=None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--device", default="cuda", choices=["cuda", "cpu"])
    parser.add_argument("--json", action="store_true", help="all rows, as JSON")
    options = parser.parse_args(arguments)
    try:
        check_device(options.device)
    except DeviceError as problem:
        print(f"minigan: {problem}", file=sys.stderr)
        return 2
    rows = []
    for name, run, with_tf32 in cases():
        true = results(run, "cpu", np.float64)
        for tf32 in (False, True) if with_tf32 and options.device == "cuda" else (False,):
            mg.cuda.allow_tf32(tf32)
            row = {"case": name, "TF32": tf32, "problem": None, "error": None}
            try:
                row["error"] = off(results(run, options.device, np.float32), true)
                limit = TF32_TOLERANCE if tf32 else TOLERANCE
                if not row["error"] <= limit:  # "not <=" also catches NaN
                    row["problem"] = f"off by {row['error']:.1e}, more than {limit}"
            except Exception as problem:  # reported with its case; the others go on
                row["problem"] = f"{type(problem).__name__}: {problem}"
            rows.append(row)
    mg.cuda.allow_tf32(False)
    bad = [row for row in rows if row["problem"]]
    good = sorted((row for row in rows if not row["problem"]), key=lambda row: -row["error"])
    if options.json:
        print(json.dumps({"device": options.device, "rows": rows}, indent=1))
    else:
        print(f"{len(rows)} checks on {options.device}, {len(bad)} failed.  The largest errors of the others:\n")
        print(markdown([row | {"error": f"{row['error']:.1e}"} for row in good[:12]], ["case", "TF32", "error"]))
    for row in bad:
        print(f"parity: {row['case']}{' with TF32' if row['TF32'] else ''}: {row['problem']}", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
