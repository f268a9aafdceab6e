"""Time two ways of doing the same thing, fairly: in turns, in one process, medians of many.

compare     A B A B ... after a warm-up; the ratio is taken pair by pair, so slow drifts of the machine cancel
environment what the numbers depend on: processor, BLAS kernel and threads, versions
"""

import os
import platform
import statistics
import time

import numpy as np

from minigan.doctor import blas


def compare(ours, theirs, rounds: int, calls: int = 1):
    """(our seconds, their seconds, ratio, (lowest, highest ratio)): medians over the rounds; theirs None: no peer."""
    pairs = []
    for round_number in range(rounds + 1):
        times = []
        for function in (ours, theirs):
            start = time.perf_counter()
            if function is not None:
                for _ in range(calls):
                    function()
            times.append((time.perf_counter() - start) / calls)
        if round_number:  # the first round warms up
            pairs.append(times)
    mine, other = (statistics.median(column) for column in zip(*pairs))
    if theirs is None:
        return mine, None, None, None
    ratios = [a / b for a, b in pairs]
    return mine, other, statistics.median(ratios), (min(ratios), max(ratios))


def environment() -> str:
    """One line on what the numbers depend on."""
    found = blas()
    pinned = os.environ.get("OPENBLAS_CORETYPE")
    return (f"{platform.processor() or platform.machine()}, {os.cpu_count()} cores; NumPy {np.__version__}; "
            f"{found['library']} {found['version']}, kernel {found['kernel']}, {found['threads']} threads"
            + (f" (pinned by OPENBLAS_CORETYPE={pinned}: unset it to measure what users see)" if pinned else ""))
