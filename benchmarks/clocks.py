"""The clocks of devices.py, one for the host and one for each library on a GPU, and the ceilings of each device.

HostClock, CupyClock, TorchClock    time on the host; time between two events on a GPU, in CuPy's or PyTorch's stream
measure                             times single calls, and bursts of calls
host_ceilings, card_ceilings        the most bytes and operations per second that large copies and products reach
"""

import statistics
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

LONGEST_BURST = 256  # calls; a GPU's queue holds about a thousand, and when it is full the host waits inside the burst


class HostClock:
    """The time of the host, for calls that have done their work when they return."""

    def mark(self):
        """A point in time."""
        return time.perf_counter()

    def between(self, start, end) -> float:
        """Seconds."""
        return end - start

    def wait(self):
        """Wait until all work is done."""


class CupyClock(HostClock):
    """The time of a GPU.  A mark is an event in CuPy's current stream; the GPU reaches it when all work before it is done."""

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
    """Times of call(i), i = 0, 1, 2, ..., in seconds.   seconds: about how long to measure; once: measure everything once.

    latency: the median time of a single call, from its start until the host sees its end.   burst: the time of one call among
    many that are sent one after the other, on the device's clock; the median of many bursts.   low, high: a tenth of the bursts
    lies below, above.   enqueue: the median time that the host needs to send a call.   calls: the number of calls in a burst.
    bursts: the number of bursts.
    """
    # Warm-up: memory pools fill, clock rates rise, and threads of a library that ran before go to sleep.  The caller's first
    # call has compiled everything.
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
    if calls == 1 and type(clock) is HostClock:  # a burst of one call on the host is a single call: we have those times
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
    return {
        "latency": statistics.median(latencies),
        "burst": statistics.median(bursts),
        "low": bursts[len(bursts) // 10],
        "high": bursts[-1 - len(bursts) // 10],
        "enqueue": statistics.median(enqueues),
        "calls": calls,
        "bursts": len(bursts),
    }


def single(call, clock, i: int) -> float:
    """Seconds from the start of call(i) until the host sees its end."""
    start = time.perf_counter()
    call(i)
    clock.wait()
    return time.perf_counter() - start


def quickest(call, clock, seconds: float) -> float:
    """The least time of a call, over bursts of four calls for about this many seconds: the best that the machine can do."""
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
# A ceiling is the highest rate that some program has reached, so it is the largest rate of all programs.  Memory has two
# ceilings, because arrays that fit the cache are moved faster; each row says which of the two it is compared with.


def host_cache() -> int:
    """Bytes of the host's largest cache; 32 MiB if the system does not say."""
    sizes = [f.read_text().strip() for f in Path("/sys/devices/system/cpu/cpu0/cache").glob("index*/size")]
    units = {"K": 2**10, "M": 2**20, "G": 2**30}
    return max((int(s[:-1]) * units[s[-1]] for s in sizes if s[-1:] in units and s[:-1].isdigit()), default=2**25)


def host_ceilings(threads: int, product, seconds: float, small: bool = False) -> dict:
    """{"memory", "cache": bytes per second, "product": operations per second} of this many threads.

    product(n): a function that multiplies two float32 matrices of n x n.   small: use tiny arrays, for a quick run.
    """
    large = 2**16 if small else max(2**26, 2 * host_cache())  # bytes of the two arrays of all threads together
    memory = max(_host_rate(touch, n, large // n, 1, seconds) for touch in (_copy, _read) for n in {1, threads})
    cache = max(
        _host_rate(touch, n, size, 64, seconds / 4)
        for touch in (_copy, _read)
        for n in {1, threads}
        for size in ([2**14] if small else [2**15, 2**17, 2**19, 2**21])
    )
    sizes = [32] if small else [512, 1024, 2048, 4096]
    return {"memory": memory, "cache": max(cache, memory), "product": _product_rate(sizes, product, HostClock(), seconds)}


def _copy(source, target):
    np.copyto(target, source)


def _read(source, target):
    source.max()
    target.max()


def _host_rate(touch, threads, size, repeats, seconds):
    """Bytes per second, if each thread touches two arrays of `size` bytes in total, `repeats` times in each call."""
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
    """{"memory", "cache", "product"} of a GPU, with lib = cupy or torch (tensors on the GPU); see host_ceilings."""
    large = [2**16] if small else [2**28, 2**30]
    fits = [2**14] if small else [2**k for k in range(20, cache.bit_length())]
    rates = {size: _card_rate(lib, clock, size, seconds) for size in {*large, *fits}}
    memory = max(rates[size] for size in large)
    sizes = [32] if small else [2048, 4096, 8192]
    return {"memory": memory, "cache": max(rates.values()), "product": _product_rate(sizes, product, clock, seconds)}


def _card_rate(lib, clock, size, seconds):
    """The largest of three rates in bytes per second: copying an array to another, adding two, reading one, each of size / 2
    bytes.

    A copy alone is not enough: on some GPUs a kernel that adds moves more bytes per second.
    """
    options = {"device": "cuda"} if hasattr(lib, "Tensor") else {}
    source, other, target = (lib.ones(size // 8, dtype=lib.float32, **options) for _ in range(3))

    def copy():
        target[...] = source

    ways = (2, copy), (3, lambda: lib.add(source, other, out=target)), (1, source.max)
    return max(arrays * size / 2 / quickest(way, clock, seconds) for arrays, way in ways)


def transfer_rates(cupy, size: int, seconds: float) -> dict:
    """Bytes per second between host and GPU, for NumPy's ordinary memory and for pinned memory."""
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
        rates[f"to device, {name}"] = timed(lambda host=host: card.set(host))
        rates[f"from device, {name}"] = timed(lambda host=host: card.get(out=host))
    return rates
