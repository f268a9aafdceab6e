"""What devices.py measures with: a clock for each place where work is done, and what each place can do at most.

HostClock, CupyClock, TorchClock    time on the host; between two events on a card, of CuPy's stream or of PyTorch's
measure                             single calls, bursts of calls
host_ceilings, card_ceilings        bytes moved and operations done in a second, at best, by large copies and large products
"""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

LONGEST_BURST = 256  # calls; a card's queue holds about a thousand, and beyond that the host would wait inside a burst


class HostClock:
    """The time of the host, where a call has done its work when it returns."""

    def mark(self):
        """A point in time."""
        return time.perf_counter()

    def between(self, start, end) -> float:
        """Seconds."""
        return end - start

    def wait(self):
        """Until all work is done."""


class CupyClock(HostClock):
    """The time of a card: marks are events in CuPy's current stream, reached when all work before them is done."""

    def __init__(self):
        import cupy

        self.cuda = cupy.cuda

    def mark(self):
        event = self.cuda.Event()
        event.record()
        return event

    def between(self, start, end):
        return self.cuda.get_elapsed_time(start, end) / 1e3

    def wait(self):
        self.cuda.get_current_stream().synchronize()


class TorchClock(HostClock):
    """The same in PyTorch's current stream."""

    def __init__(self, torch):
        self.cuda = torch.cuda

    def mark(self):
        event = self.cuda.Event(enable_timing=True)
        event.record()
        return event

    def between(self, start, end):
        return start.elapsed_time(end) / 1e3

    def wait(self):
        self.cuda.synchronize()


def measure(call, clock, seconds: float, once: bool = False) -> dict:
    """Times of call(i), i = 0, 1, 2, ..., in seconds, over about this many seconds in all; once: each thing once.

    latency: of a single call, from its start until the host sees its end; the median.   burst: of one call among many sent
    one after the other, on the device's clock; the median of many bursts, low and high: a tenth of them lies below, above.
    enqueue: what the host needs to send a call; the median.   calls: in a burst.   bursts: how many.
    """
    # Warm-up, with everything compiled by the caller's first call: memory pools fill, clocks rise, and threads of a library
    # that was used before go to sleep.
    i, start, guess = 1, time.perf_counter(), single(call, clock, 0)
    while not once and time.perf_counter() < start + seconds / 4:
        guess = single(call, clock, i)
        i += 1
    latencies, end = [single(call, clock, i)], time.perf_counter() + seconds / 4
    while not once and (len(latencies) < 3 or time.perf_counter() < end):
        latencies.append(single(call, clock, i := i + 1))
    i += 1
    calls = 2 if once else int(max(1, min(LONGEST_BURST, seconds / 16 / max(guess, 1e-9))))
    bursts, enqueues, end = [], [], time.perf_counter() + seconds / 2
    if calls == 1 and type(clock) is HostClock:  # a burst would be a single call again
        bursts, enqueues = list(latencies), list(latencies)
    while not bursts or (not once and (len(bursts) < 3 or time.perf_counter() < end)):
        start, begin = clock.mark(), time.perf_counter()
        for k in range(calls):
            call(i + k)
        sent, stop = time.perf_counter() - begin, clock.mark()
        clock.wait()
        bursts.append(clock.between(start, stop) / calls)
        enqueues.append(sent / calls)
        i += calls
    bursts.sort()
    return {"latency": statistics.median(latencies), "burst": statistics.median(bursts),
            "low": bursts[len(bursts) // 10], "high": bursts[-1 - len(bursts) // 10],
            "enqueue": statistics.median(enqueues), "calls": calls, "bursts": len(bursts)}


def single(call, clock, i: int) -> float:
    """Seconds from the start of call(i) until the host sees its end."""
    start = time.perf_counter()
    call(i)
    clock.wait()
    return time.perf_counter() - start


def quickest(call, clock, seconds: float) -> float:
    """The least time of a call, over bursts of a few that take about this many seconds: what the machine can do at best."""
    call()
    clock.wait()
    times, end = [], time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = clock.mark()
        for _ in range(4):
            call()
        stop = clock.mark()
        clock.wait()
        times.append(clock.between(start, stop) / 4)
    return min(times)


# -------------------------------------------------------------------------------------------------------- ceilings --- #
# A ceiling is what the machine was seen to do, so another program can at most raise it: the largest of all counts.  Memory
# has two.  Arrays that fit the cache are moved faster, so what is held against a ceiling is told which one it has.


def host_cache() -> int:
    """Bytes of the host's largest cache, where the system tells; else 32 MiB."""
    sizes = [f.read_text().strip() for f in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")]
    units = {"K": 2**10, "M": 2**20, "G": 2**30}
    return max((int(s[:-1]) * units[s[-1]] for s in sizes if s[-1:] in units and s[:-1].isdigit()), default=2**25)


def host_ceilings(threads: int, product, seconds: float, small: bool = False) -> dict:
    """{"memory", "cache": bytes per second, "product": operations per second} of this many threads.

    product(n): a function that multiplies two float32 matrices of n x n.   small: of tiny arrays, for a quick run.
    """
    large = 2**16 if small else max(2**26, 2 * host_cache())  # bytes of the two arrays of all threads together
    memory = max(_host_rate(touch, n, large // n, 1, seconds) for touch in (_copy, _read) for n in {1, threads})
    cache = max(_host_rate(touch, n, size, 64, seconds / 4) for touch in (_copy, _read) for n in {1, threads}
                for size in ([2**14] if small else [2**15, 2**17, 2**19, 2**21]))
    sizes = [32] if small else [512, 1024, 2048, 4096]
    return {"memory": memory, "cache": max(cache, memory), "product": _product_rate(sizes, product, HostClock(), seconds)}


def _copy(source, target):
    np.copyto(target, source)


def _read(source, target):
    source.max()
    target.max()


def _host_rate(touch, threads, size, repeats, seconds):
    """Bytes per second, where each thread touches two arrays of `size` bytes together, `repeats` times in one go."""
    pairs = [(np.ones(size // 8, np.float32), np.ones(size // 8, np.float32)) for _ in range(threads)]

    def work(pair):
        for _ in range(repeats):
            touch(*pair)

    with ThreadPoolExecutor(threads) as pool:
        together = (lambda: list(pool.map(work, pairs))) if threads > 1 else (lambda: work(pairs[0]))
        best = quickest(together, HostClock(), seconds)
    return threads * repeats * 2 * pairs[0][0].nbytes / best


def _product_rate(sizes, product, clock, seconds):
    return max(2 * n**3 / quickest(product(n), clock, seconds) for n in sizes)


def card_ceilings(lib, clock, product, cache: int, seconds: float, small: bool = False) -> dict:
    """{"memory", "cache", "product"} of a card, with lib = cupy or torch (tensors on the card); see host_ceilings."""
    large = [2**16] if small else [2**28, 2**30]
    fits = [2**14] if small else [2**k for k in range(20, cache.bit_length())]
    rates = {size: _card_rate(lib, clock, size, seconds) for size in {*large, *fits}}
    memory = max(rates[size] for size in large)
    sizes = [32] if small else [2048, 4096, 8192]
    return {"memory": memory, "cache": max(rates.values()), "product": _product_rate(sizes, product, clock, seconds)}


def _card_rate(lib, clock, size, seconds):
    """Bytes per second at best: copying an array to another, adding two, reading one, each of size / 2 bytes.

    A copy alone is not the most: on some cards a kernel that adds moves more.
    """
    options = {"device": "cuda"} if hasattr(lib, "Tensor") else {}
    source, other, target = (lib.ones(size // 8, dtype=lib.float32, **options) for _ in range(3))

    def copy():
        target[...] = source

    ways = (2, copy), (3, lambda: lib.add(source, other, out=target)), (1, source.max)
    return max(arrays * size / 2 / quickest(way, clock, seconds) for arrays, way in ways)


def transfer_rates(cupy, size: int, seconds: float) -> dict:
    """Bytes per second between host and card, from memory as NumPy takes it and from pinned memory."""
    import cupyx

    clock, card = HostClock(), cupy.empty(size // 4, cupy.float32)
    pinned = cupyx.empty_pinned(size // 4, np.float32)
    pinned[...] = 1
    plain, rates = pinned.copy(), {}

    def timed(transfer):
        def call():
            transfer()
            cupy.cuda.get_current_stream().synchronize()

        return size / quickest(call, clock, seconds)

    for name, host in (("pageable", plain), ("pinned", pinned)):
        rates[f"to card, {name}"] = timed(lambda host=host: card.set(host))
        rates[f"from card, {name}"] = timed(lambda host=host: card.get(out=host))
    return rates
