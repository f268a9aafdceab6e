"""The stand-in for a card runs CUDA C as a card does, and finds what goes wrong on one: the checker is checked."""

import os
import subprocess
import sys
from pathlib import Path

import cudashim
import numpy as np
import pytest

SUMS = """
typedef REAL T;
extern "C" __global__ void sums(const T* x, T* y) {
    __shared__ T part[64];
    part[threadIdx.x] = x[blockIdx.x * blockDim.x + threadIdx.x];
    BARRIER
    for (int half = blockDim.x / 2; half > 0; half /= 2) {
        if (threadIdx.x < half) part[threadIdx.x] += part[threadIdx.x + half];
        BARRIER
    }
    if (threadIdx.x == 0) y[blockIdx.x] = part[0];
}"""


def sums(barrier, order):
    x, y = np.arange(5 * 64, dtype=np.float64), np.full(5, np.nan)
    with cudashim.order(order):
        kernel = cudashim.load(SUMS.replace("BARRIER", barrier), ("-DREAL=double",)).get_function("sums")
        kernel((5,), (64,), (x, y))
    return y, x.reshape(5, 64).sum(1)


@pytest.mark.parametrize("order", ["forward", "reverse"])
def test_threads_meet_at_barriers(order):
    found, expected = sums("__syncthreads();", order)
    assert np.array_equal(found, expected)


def test_a_missing_barrier_gives_a_wrong_sum():
    wrong = [not np.array_equal(*sums("", order)) for order in ("forward", "reverse")]
    assert any(wrong)


def test_a_barrier_that_only_some_threads_reach_is_an_error_and_the_next_launch_works():
    source = 'extern "C" __global__ void k(int* y) { if (threadIdx.x % 2) __syncthreads(); y[threadIdx.x] = 1; }'
    with pytest.raises(RuntimeError, match="k: not all threads of a block reach the __syncthreads of line 1"):
        cudashim.load(source).get_function("k")((1,), (4,), (np.zeros(4, np.int32),))
    found, expected = sums("__syncthreads();", "forward")
    assert np.array_equal(found, expected)


def test_shared_memory_holds_nan_at_the_start_of_every_block():
    source = (
        'extern "C" __global__ void k(float* y) { __shared__ float s[2]; if (threadIdx.x == 0) y[blockIdx.x] = s[1]; '
        "__syncthreads(); s[threadIdx.x] = 1; }"
    )
    y = np.zeros(3, np.float32)
    cudashim.load(source).get_function("k")((3,), (2,), (y,))
    assert np.isnan(y).all()


@pytest.mark.parametrize("order", ["forward", "reverse"])
def test_places_in_three_dimensions(order):
    source = (
        'extern "C" __global__ void k(int* y) { int b = blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z); '
        "y[threadIdx.x + blockDim.x * (threadIdx.y + blockDim.y * (threadIdx.z + blockDim.z * b))] += b; }"
    )
    y = np.zeros(2 * 3 * 4 * 5 * 2 * 3, np.int32)
    with cudashim.order(order):
        cudashim.load(source).get_function("k")((2, 3, 4), (5, 2, 3), (y,))
    assert np.array_equal(y, np.repeat(np.arange(24), 30))


def test_arguments_of_a_wrong_type_are_refused():
    kernel = cudashim.load('extern "C" __global__ void k(float* x, float a, int n) { x[n] = a; }').get_function("k")
    x = np.zeros(2, np.float32)
    kernel((1,), (1,), (x, np.float32(3), np.int32(1)))
    assert x.tolist() == [0, 3]
    for args, message in [
        ((x, np.float32(3)), "takes 3 arguments, got 2"),
        ((x, 3.0, np.int32(1)), "a is float32, got float"),
        ((x, np.float32(3), np.int64(1)), "n is int32, got int64"),
        ((x.astype(float), np.float32(3), np.int32(1)), "x points at float32, got ndarray of float64"),
    ]:
        with pytest.raises(TypeError, match=message):
            kernel((1,), (1,), args)
    with pytest.raises(RuntimeError, match="a card can't launch"):
        kernel((1,), (2048,), (x, np.float32(3), np.int32(1)))


def test_a_source_that_does_not_compile_shows_the_compilers_message():
    with pytest.raises(RuntimeError, match=r"kernel.cu:1.* error: .y. was not declared"):
        cudashim.load('extern "C" __global__ void k(float* x) { x[0] = y; }')


def _sanitized(*command):
    """Run a command with the address sanitizer preloaded."""
    library = subprocess.run(["g++", "-print-file-name=libasan.so"], capture_output=True, text=True, check=True).stdout.strip()
    if not Path(library).is_absolute():
        pytest.skip("g++ has no address sanitizer here")
    root = Path(__file__).parents[3]
    return subprocess.run(
        [sys.executable, *command],
        capture_output=True,
        text=True,
        cwd=root,
        timeout=300,
        env={
            **os.environ,
            "LD_PRELOAD": library,
            "CUDASHIM_SANITIZE": "1",
            "ASAN_OPTIONS": "detect_leaks=0:detect_stack_use_after_return=0",
            "PYTHONPATH": os.pathsep.join([str(root / "tests"), str(root), os.environ.get("PYTHONPATH", "")]),
        },
    )


OUT_OF_BOUNDS = """
import cudashim, numpy as np
source = '''
extern "C" __global__ void k(float* y, int n) {{
    {barrier}
    if (threadIdx.x <= n) y[threadIdx.x] = 1;   // < n is right
}}'''
cudashim.load(source).get_function("k")((1,), (64,), (np.zeros({size}, np.float32), np.int32(40)))
print("nothing noticed")
"""


@pytest.mark.parametrize("barrier", ["", "__syncthreads();"])
def test_the_sanitizer_reports_a_write_past_the_end_with_its_line(barrier):
    wrong = _sanitized("-c", OUT_OF_BOUNDS.format(barrier=barrier, size=40))
    assert wrong.returncode and "heap-buffer-overflow" in wrong.stderr and "kernel.cu:4" in wrong.stderr, wrong.stderr[-2000:]
    right = _sanitized("-c", OUT_OF_BOUNDS.format(barrier=barrier, size=41))
    assert right.returncode == 0 and "nothing noticed" in right.stdout, right.stderr[-2000:]


@pytest.mark.skipif("CUDASHIM_SANITIZE" in os.environ, reason="this is the run that the test starts")
def test_no_kernel_leaves_its_arrays():
    """All the tests of the kernels once more, under the address sanitizer."""
    tests = [
        str(path)
        for path in sorted(Path(__file__).parent.glob("test_*.py"))
        if path.stem not in ("test_shim", "test_sources", "test_gemm")
    ]
    done = _sanitized(
        "-m", "pytest", "-p", "no:xdist", "-p", "no:cacheprovider", "-o", "addopts=-q --import-mode=importlib", *tests
    )
    assert done.returncode == 0 and " passed" in done.stdout, (done.stdout + done.stderr)[-3000:]
