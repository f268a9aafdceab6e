# %% [markdown] id="promise"
# # 8. Two backends: the same code on a CPU and on a card
#
# minigan runs on NumPy and on CuPy, that is, on a CPU and on a GPU (a graphics card; we say *card*). The *host* is the computer
# around the card, with a CPU and a memory of its own. At the end of this lesson you know how one code serves both, what changes
# on a card (six things), and from which size a card is worth it: you measure this machine, and predict the time of a training
# step before you take it.
#
# **You need no card.** If this machine has none, we use a make-believe card: it computes with NumPy, so all its numbers are
# true, and it has a clock that is *calculated* from a data sheet. Nothing here claims to be measured on a card. (When this was
# written, no card had run minigan at all: `docs/gpu.md` says what was tested, and how.) Times that are measured, on this
# machine, are printed and drawn, but never claimed: yours will differ.
#
# It takes a few seconds. You need lessons 1, 3 and 6.
#
# Sources: Williams, Waterman and Patterson 2009, "Roofline" (the model: the longer of two times). NVIDIA, "A100 Tensor Core
# GPU", data sheet of 2020 (19.5 TFLOP/s in float32, 1,555 GB/s, PCI Express 4). Higham 2002, "Accuracy and Stability of
# Numerical Algorithms", chapter 4 (sums). Ten microseconds for sending one op from Python is our own round number.

# %% id="setup"
import time
from dataclasses import dataclass

import numpy as np

import minigan as mg
from minigan import nn
from minigan.errors import DeviceError
from minigan.lesson import Lesson, raises

lesson = Lesson("08_two_backends")
claim, figure = lesson.claim, lesson.figure
rng = np.random.default_rng(0)

# %% [markdown] id="owner"
# ## One code
#
# CuPy has the functions of NumPy under the same names, for arrays that live in the card's memory. So a layer could be written
# once if it only knew which of the two to call. The array knows. We look at its type, and that is the whole trick. minigan does
# the same (`xp` in `minigan/backend.py`).
#
# Our make-believe card needs an array type. `OnCard` holds a NumPy array that nobody outside may touch, and its module
# `on_card` runs NumPy's functions on what is inside. (`card`, which it calls, keeps the time. The next section makes it.)
#
# **Predict:** `x @ w`, where `x` is on the card and `w` is in the host's memory: does it work, slowly? Should it?


# %% id="card-code"
class OnCard:
    """An array in the memory of a make-believe card."""

    __array_ufunc__ = None  # NumPy's operators leave the decision to ours

    def __init__(self, inside):
        self.inside, self.shape, self.nbytes = inside, inside.shape, inside.nbytes

    def __matmul__(self, other):
        return on_card.matmul(self, other)

    def __add__(self, other):
        return on_card.add(self, other)


class CardModule:
    """NumPy's functions for OnCard arrays; each call is one op that the host sends to the card."""

    def __getattr__(self, name):
        def op(*arrays):
            if not all(isinstance(a, OnCard | float) for a in arrays):
                raise TypeError(f"{name}: an array is in the host's memory; send it to the card first")
            result = OnCard(getattr(np, name)(*(getattr(a, "inside", a) for a in arrays)))
            card.launch(seconds(CARD, *cost(name, arrays, result)))
            return result

        return op


# %% id="xp-code"
MODULES = {np.ndarray: np, OnCard: (on_card := CardModule())}


def xp(array):
    """The module that owns the array."""
    return MODULES[type(array)]


def layer(x, w, b):
    """max(x w + b, 0), on whatever device the arrays are."""
    return xp(x).maximum(x @ w + b, 0.0)


# %% [markdown] id="clocks"
# ## The cost of an op
#
# A simple model of one op on one device (Williams et al. 2009):
#
# $$\text{seconds} = \text{overhead} + \max\left(\frac{\text{operations}}{\text{rate}},\;
#   \frac{\text{bytes}}{\text{bandwidth}}\right).$$
#
# *Overhead* is what it costs to begin at all. Then the arithmetic and the traffic with the memory go on at the same time, so
# the longer one counts. A `Device` is three numbers. `CARD` has those of the data sheet. `HOST` is a round guess for one core,
# so that our claims do not depend on your machine; later we measure the true ones.
#
# The make-believe card also has a *queue*. The host only sends an op (10 microseconds), and goes on at once. The card works one
# op after the other.


# %% id="clocks-code"
@dataclass
class Device:
    overhead: float  # seconds to begin an op
    rate: float  # operations per second
    bandwidth: float  # bytes per second, between processor and memory


HOST = Device(overhead=1e-6, rate=1e11, bandwidth=1e10)
CARD = Device(overhead=0.0, rate=19.5e12, bandwidth=1555e9)  # the host's 10 microseconds for sending are in Card
SEND, BUS = 10e-6, 32e9  # seconds to send an op; bytes per second between the host's memory and the card's


def seconds(device, operations, traffic, calls=1):
    """The model: overhead, and the longer of two times."""
    return calls * device.overhead + max(operations / device.rate, traffic / device.bandwidth)


def cost(name, arrays, result):
    """(operations, bytes) of an op: 2 n k m for a product (n, k) @ (k, m), else one operation per number of the result."""
    numbers = result.nbytes / 4
    operations = 2 * arrays[0].shape[-1] * numbers if name == "matmul" else numbers
    return operations, result.nbytes + sum(getattr(a, "nbytes", 4) for a in arrays)


# %% [markdown] id="queue"
# The queue needs two clocks. Copies go over a *bus*, the cable between the two memories. It is much slower than either of them.


# %% id="queue-code"
class Card:
    """Two clocks: the host's, and when the card will have done all that was sent."""

    def __init__(self):
        self.now = self.busy_until = 0.0

    def launch(self, duration):
        """The host sends an op and goes on; the card begins when it is free."""
        self.now += SEND
        self.busy_until = max(self.now, self.busy_until) + duration

    def wait(self):
        """The host waits until the card has done everything."""
        self.now = max(self.now, self.busy_until)

    def send(self, array):
        """A copy of a NumPy array in the card's memory."""
        self.now += SEND + array.nbytes / BUS
        return OnCard(array.copy())

    def get(self, array):
        """A copy in the host's memory.   The card must finish first."""
        self.wait()
        self.now += SEND + array.nbytes / BUS
        return array.inside.copy()


# %% id="owner-check"
card = Card()
x, w, b = (rng.standard_normal(shape, dtype=np.float32) for shape in ((64, 784), (784, 256), (256,)))
there = [card.send(array) for array in (x, w, b)]
claim(np.array_equal(card.get(layer(*there)), layer(x, w, b)), True, says="one layer, two devices, the same numbers")
claim(raises(TypeError, lambda: there[0] @ w), True, says="an array here and an array there: refused")
claim(raises(TypeError, lambda: x @ there[1]), True, says="and the other way round")

# %% [markdown] id="mixing"
# **1. Arrays live somewhere.** A library *could* copy `w` to the card by itself. CuPy, PyTorch and minigan do not: a hidden
# copy in a loop costs more than the arithmetic, and nobody would find it. So they raise an error.
#
# ## Two kinds of ops
#
# Divide operations by bytes: the *intensity* of an op. Divide the device's rate by its bandwidth: how many operations it must
# have per byte so that the arithmetic, not the memory, is the limit.
#
# **Predict:** how many operations per byte has an addition of float32 arrays? And a product of two $n \times n$ matrices? Which
# share of the card's 19.5 TFLOP/s ($19.5 \cdot 10^{12}$ operations per second) can an addition use?

# %% id="intensity-code"
big = 10_000_000
addition = (big, 12 * big)  # reads two numbers of 4 bytes, writes one
square = lambda n: (2 * n**3, 12 * n**2)
claim(addition[0] / addition[1], 1 / 12, says="operations per byte of an addition")
claim(square(600)[0] / square(600)[1], 100, says="of a 600x600 product: n / 6")
claim(CARD.rate / CARD.bandwidth, 12.54, atol=0.01, says="operations per byte that the card needs")
used = addition[0] / seconds(CARD, *addition) / CARD.rate
claim(used, 0.0066, atol=1e-4, says="share of the card's arithmetic that an addition can use")

# %% [markdown] id="crossing"
# **2. A card is not fast, it is wide.** For additions the memory decides, and a card is faster only because its memory is.
# (This is why libraries *fuse* ops: `x * w + b` with one reading and one writing.) Large products use the arithmetic.
#
# ## From which size?
#
# **3. Beginning costs more.** Sending an op takes 10 microseconds in our model, on the host 1.
#
# **Predict:** from which number of elements is an addition faster on the card? Now the arrays are in the host's memory, and we
# send two of them and fetch the result (we count only the bytes of this journey): from which number then?


# %% id="crossing-code"
def on_the_card(operations, traffic, moved=0.0, calls=1):
    """Seconds on the card: sending the ops, the work, and `moved` bytes over the bus."""
    return max(calls * SEND, seconds(CARD, operations, traffic)) + moved / BUS


sizes = np.arange(100, 100_000, 100)
host_times = np.array([seconds(HOST, n, 12 * n) for n in sizes])
there_times = np.array([on_the_card(n, 12 * n) for n in sizes])
moved_times = np.array([on_the_card(n, 12 * n, moved=12 * n) for n in sizes])
first = lambda wins: sizes[wins][0] if wins.any() else np.inf
claim(first(there_times < host_times), 7_600, says="elements from which the card wins, if the arrays are there")
claim(first(moved_times < host_times), 11_000, says="if they must travel there and back")
half = (
    seconds(HOST, big, 12 * big) / on_the_card(big, 12 * big),
    seconds(HOST, big, 12 * big) / on_the_card(big, 12 * big, 12 * big),
)
claim(half, [155.5, 3.1], atol=0.1, says="times faster for ten million: if they are there; if they travel")

# %% [markdown] id="bus"
# **4. The bus is narrow.** What is 155 times faster becomes 3 times faster if the arrays travel. So weights and their optimizer
# stay on the card for the whole training, and only batches travel.
#
# ## Measure this machine
#
# Three numbers describe a device, so we need three measurements: a tiny op (only overhead), a large addition (only memory), a
# large product (only arithmetic). We take the best of several: other programs can only make a time longer.
#
# **Predict:** how many nanoseconds does `a + a` take for one number? How many GFLOP/s reaches a product? Compare with `HOST`.


# %% id="measure-code"
def best_time(call, repeat=5, calls=1):
    """The shortest time of one call, in seconds."""
    found = []
    for _ in range(repeat):
        start = time.perf_counter()
        for _ in range(calls):
            call()
        found.append((time.perf_counter() - start) / calls)
    return min(found)


one = mg.ones(1)
long = np.ones(1_000_000 if lesson.fast else 10_000_000, np.float32)
out, wide = np.empty_like(long), rng.standard_normal((256, 256) if lesson.fast else (768, 768), dtype=np.float32)
ME = Device(
    overhead=best_time(lambda: one + one, calls=2000),
    rate=2 * len(wide) ** 3 / best_time(lambda: wide @ wide),
    bandwidth=12 * len(long) / best_time(lambda: np.add(long, long, out=out)),
)
print(f"  this machine, one thread: {1e9 * ME.overhead:.0f} ns, {ME.rate / 1e9:.0f} GFLOP/s, {ME.bandwidth / 1e9:.0f} GB/s")

# %% [markdown] id="step"
# ## Predict a training step
#
# Now a whole step, with cross-entropy and Adam: for a digit classifier (784-256-10), and for a net as small as those of lesson
# 2. `mg.watch` calls a function after each op and each gradient rule. We count ops and bytes, and put them into the model.
#
# **Predict:** how many ops does a step have if the batch is 1, and if it is 1,024? Which of the two nets should stay on the
# CPU?


# %% id="step-code"
def step_of(sizes, batch):
    """A function that takes one training step of a perceptron with layers of these sizes."""
    layers = [part for a, b in zip(sizes, sizes[1:]) for part in (nn.Linear(a, b), nn.ReLU())]
    net = nn.Sequential(*layers[:-1])
    adam = mg.optim.Adam(net.parameters(), lr=1e-3)
    x = mg.tensor(rng.standard_normal((batch, sizes[0]), dtype=np.float32))
    labels = mg.tensor(np.arange(batch) % sizes[-1])
    return lambda: adam.step(mg.grad(nn.functional.cross_entropy(net(x), labels), net.parameters()))


def count(sizes, batch):
    """(operations, bytes, ops) of a step: the operations of its products, and the bytes that ops, rules and Adam exchange."""
    traffic, step = [], step_of(sizes, batch)
    with mg.watch(lambda op, phase, inputs, output, *rest: traffic.append(sum(np.size(a) * 4 for a in (*inputs, output)))):
        step()
    weights = [a * b for a, b in zip(sizes, sizes[1:])]
    products = 2 * batch * (3 * sum(weights) - weights[0])  # forward and two backward; the data need no gradient
    return products, sum(traffic) + 7 * 4 * sum(weights), len(traffic) + 1  # Adam is one op: it reads 4 vectors and writes 3


SMALL, DIGITS = (2, 128, 128, 2), (784, 256, 10)
batches = [1, 4, 16, 64, 256] if lesson.fast else [1, 4, 16, 64, 256, 1024]
counted = {sizes: {batch: count(sizes, batch) for batch in batches} for sizes in (SMALL, DIGITS)}
claim(len({ops for *_, ops in counted[DIGITS].values()}), 1, says=f"{counted[DIGITS][1][2]} ops, the same for all batch sizes")
claim(counted[DIGITS][256][0] / counted[DIGITS][1][0], 256, says="the operations grow with the batch")


# %% id="step-predict"
def card_seconds(sizes, batch):
    """The model for a card that holds the weights; the batch travels."""
    operations, traffic, ops = counted[sizes][batch]
    return on_the_card(operations, traffic, moved=4 * sizes[0] * batch, calls=ops)


host_wins = {s: [n for n in batches if seconds(HOST, *counted[s][n]) < card_seconds(s, n)] for s in counted}
claim(host_wins[SMALL], [1, 4, 16, 64], says="small net: batch sizes at which HOST is faster than the card, by the model")
claim(host_wins[DIGITS], [], says="digit classifier: none")
claim(7 * 4 * (784 * 256 + 256 * 10) / 1e6, 5.7, atol=0.01, says="megabytes that Adam alone reads and writes there")
measured = {batch: best_time(step_of(DIGITS, batch), 3 if lesson.fast else 7) for batch in batches}
predicted = {batch: seconds(ME, *counted[DIGITS][batch]) for batch in batches}
of_card = {batch: card_seconds(DIGITS, batch) for batch in batches}
for batch in batches:
    here = f"predicted {1e3 * predicted[batch]:7.2f} ms, measured {1e3 * measured[batch]:7.2f} ms"
    print(f"  batch {batch:>4}: {here};  a card, calculated: {1e3 * of_card[batch]:.2f} ms")

# %% id="step-draw"
with figure("step", width=7, height=4) as fig:
    axes = fig.add_subplot()
    axes.loglog(batches, [1e3 * measured[n] for n in batches], "o-", color="#0072B2", label="this machine, measured")
    axes.loglog(batches, [1e3 * predicted[n] for n in batches], "--", color="#0072B2", label="this machine, predicted")
    axes.loglog(
        batches, [1e3 * of_card[n] for n in batches], ":", color="#D55E00", linewidth=2, label="a card, calculated only"
    )
    axes.set(xlabel="batch size", ylabel="milliseconds per step", xticks=batches, xticklabels=batches)
    axes.minorticks_off()
    axes.grid(color="0.9")
    axes.legend(frameon=False)

# %% [markdown] id="step-look"
# Look at `step.png`, drawn from *your* machine's times. The prediction is often off by a factor of two or three: small arrays
# do not reach the full rate, Python needs time between the ops, other programs disturb, and the cache is faster than the
# memory. But the shape is right: flat while ops and weights count, then growing with the batch. Such a model answers most
# questions, because most answers are factors of ten.
#
# Why does the digit classifier gain at every batch size? With a batch of 1 nearly all of its time goes into reading and writing
# 200,000 weights, and the card's memory is 155 times as fast as `HOST`'s. The small net has 17,000.
#
# The card's line is flat almost to the end: it waits for Python. So a small network gains little on a card, or loses. (The
# cure: record the ops of a step once, and send them as a whole. `minigan train dcgan --device cuda --set capture=true` does
# this.)
#
# ## The stopwatch that lies
#
# **5. The host does not wait.** We time 100 ops that take the card 200 microseconds each.
#
# **Predict:** what does a stopwatch show that is read right after the last op was sent?

# %% id="lie-code"
card = Card()
start = card.now
for _ in range(100):
    card.launch(200e-6)
shown = card.now - start
card.wait()
true = card.now - start
claim(shown, 1e-3, atol=1e-12, says="seconds on the stopwatch, without waiting")
claim(true, 20.01e-3, atol=1e-12, says="seconds until the card is done")

# %% [markdown] id="lie-why"
# Twenty times too fast: a frequent error in benchmarks of cards. The queue has another side: every
# `float(loss)` waits for the card. Then the host cannot prepare the next step meanwhile.
#
# **Predict:** a step has 25 ops of 20 microseconds, and before it the host needs 300 microseconds to prepare a batch. How much
# longer do 100 steps take if each one prints its loss?


# %% id="float-code"
def hundred_steps(read_loss):
    """Seconds for 100 steps."""
    card = Card()
    for _ in range(100):
        card.now += 300e-6  # the host prepares a batch
        for _ in range(25):
            card.launch(20e-6)
        if read_loss:
            card.wait()
    card.wait()
    return card.now


together, waiting = hundred_steps(False), hundred_steps(True)
claim(together, 0.0553, atol=1e-4, says="seconds if host and card work at the same time")
claim(waiting, 0.081, atol=1e-4, says="if the host waits for each loss")

# %% [markdown] id="bits"
# ## The last bits
#
# **6. The order of a sum is free.** A card adds in thousands of places at once, and the order decides the rounding. So a result
# on a card is *near* the CPU's, not equal to it. How near? We add 100,000 numbers of float32 from left to right, from right to
# left, and in pairs.
#
# **Predict:** in which digit do they differ? Which of the three is most exact?

# %% id="bits-code"
numbers = rng.random(100_000, dtype=np.float32)


def in_pairs(values):
    """The sum by adding neighbours, again and again, as a card does."""
    while len(values) > 1:
        if len(values) % 2:
            values = np.append(values, np.float32(0))
        values = values[::2] + values[1::2]
    return values[0]


exact = numbers.astype(np.float64).sum()
sums = [np.cumsum(numbers)[-1], np.cumsum(numbers[::-1])[-1], in_pairs(numbers)]
errors = [abs(float(value) - exact) / exact for value in sums]
claim(len({float(value) for value in sums}), 3, says="three orders, three different sums")
claim(errors[2] < 1e-7 < min(errors[:2]), True, says="in pairs: exact to 1e-7; one after the other: not")
claim(max(errors) < 1e-4, True, says="all of them within 1e-4, the tolerance that we use for a card")

# %% [markdown] id="tf32"
# A card's order is not worse, it is better. Only *comparing bits* between devices makes no sense.
#
# Newer cards offer a faster product for float32, TF32: it rounds its inputs to 10 bits behind the point, not 23. PyTorch and
# minigan leave it off for products unless you ask. We can imitate the rounding.
#
# **Predict:** how large is its relative error: about 1e-7, 1e-4 or 1e-2?


# %% id="tf32-code"
def rounded(x, bits=10):
    """x (float32) with this many bits of the mantissa, rounded."""
    drop = 23 - bits
    whole = x.view(np.uint32) + np.uint32(1 << (drop - 1))
    return (whole & np.uint32(2**32 - 2**drop)).view(np.float32)


left, right = (rng.standard_normal((300, 300), dtype=np.float32) for _ in range(2))
truth = left.astype(np.float64) @ right.astype(np.float64)
relative = lambda product: np.abs(product - truth).max() / np.abs(truth).max()
claim(rounded(np.float32([1 + 2**-11])) - 1, [2**-10], says="1 + 2^-11 becomes 1 + 2^-10")
claim(relative(left @ right) < 2e-6, True, says="a product in float32: error below 2e-6 of the largest number")
claim(1e-4 < relative(rounded(left) @ rounded(right)) < 1e-3, True, says="with inputs rounded as TF32: between 1e-4 and 1e-3")

# %% [markdown] id="real"
# ## The true thing
#
# minigan: `net.to("cuda")`, `mg.tensor(..., device="cuda")`, and every op runs where its arrays are. The next cell does one
# training step on the best device of this machine and on the CPU, and compares. Without a card it says so.
#
# **Predict:** what does minigan do on a machine without a card, if you ask for one?

# %% id="real-code"
has_card = mg.cuda.is_available()
device = "cuda" if has_card else "cpu"
print(
    "  a card is here: this compares both"
    if has_card
    else "  no card here: this compares the CPU with itself, and proves little"
)
claim(raises(DeviceError, lambda: mg.ones(2).to("cuda")), not has_card, says="asking for a card that is not there is an error")


def gradients_on(device):
    """The loss and the gradients of a fixed net on fixed data, as NumPy arrays."""
    mg.seed(0)
    net = nn.Sequential(nn.Linear(784, 64), nn.Tanh(), nn.Linear(64, 10)).to(device)
    data = np.random.default_rng(1).standard_normal((32, 784), dtype=np.float32)
    x, labels = mg.tensor(data, device=device), mg.tensor(np.arange(32) % 10, device=device)
    loss = nn.functional.cross_entropy(net(x), labels)
    return [part.detach().to("cpu").numpy() for part in (loss, *mg.grad(loss, net.parameters(), retain_graph=True))]


apart = max(np.abs(a - b).max() for a, b in zip(gradients_on(device), gradients_on("cpu")))
claim(apart, 0, atol=1e-4, says=f"loss and gradients on {device} and on cpu: largest difference")

# %% [markdown] id="break"
# ## Break it
#
# Change one line, **write down your prediction**, run again. The answers are at the end.
#
# 1. In `clocks-code`: `SEND = 1e-6`, as if a whole step were recorded and sent at once. Which claims change?
# 2. In `clocks-code`: `BUS = 3e9`, an old and narrow bus. Is it still worth sending ten million numbers for one addition?
# 3. In `tf32-code`: `bits=7` in `rounded`. This is bfloat16, the other short format.

# %% [markdown] id="exercise-1"
# ## Exercise 8.1
#
# Write the model for a list of ops on a card that has a queue: the host sends each op, the card does each op, and both work at
# the same time. (Forget the small delay at the start.) Write it here, or in a file of your own (`minigan exercise start 8.1`).


# %% id="exercise-1-code"
def step_seconds(ops, send, rate, bandwidth):
    """Seconds until all is done.   ops: a list of (operations, bytes);   send: the host's seconds for each op."""
    return None


lesson.exercise("8.1", step_seconds)

# %% [markdown] id="exercise-2"
# ## Exercise 8.2
#
# Write a stopwatch that does not lie. The card may still be busy with something else when you begin.


# %% id="exercise-2-code"
def stopwatch(card, work):
    """The seconds that the card needs for work().   card.clock(): the time;   card.wait(): wait until the card is idle."""
    return None


lesson.exercise("8.2", stopwatch)

# %% [markdown] id="answers"
# ## Answers
#
# `minigan exercise check 8.1 --answer` shows a right answer of an exercise.
#
# <details><summary>Show what happens when you break it</summary>
#
# 1. In the model the card wins at all sizes that we have tried, also for the small net. Its weakness was never the arithmetic,
#    it was the sending. The stopwatch lies even more.
# 2. No. There and back takes 40 milliseconds, and the addition on the host 12: the card is 3 times slower. If the arrays are
#    there already, nothing changes.
# 3. The error is about eight times as large, above 1e-3, and $1 + 2^{-11}$ becomes 1. bfloat16 has the range of float32, so
#    nothing overflows, and networks often learn with it. A check with the tolerance 1e-4 fails.
#
# </details>
#
# Predictions: it is refused; 1/12, $n/6$ and 0.7 percent; 7,600 and 11,000; see your own output; the same number, and the small
# net, up to a batch of 64; 1 millisecond in place of 20; 81 in place of 55 milliseconds; in the seventh, and the pairs; between
# 1e-4 and 1e-3; it raises an error.
#
# ## What you have now
#
# * One code for two devices, and the reason why mixing them is an error.
# * A model with three numbers per device, measured for yours, that says before you buy a card whether it helps.
# * Six habits: keep arrays there, prefer large ops, send few ops, move little, wait before you read a clock, compare with a
#   tolerance.
#
# Next: lesson 9 trains a classifier, and asks how we know that it works.

# %% id="end"
lesson.end()
