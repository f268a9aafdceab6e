"""Every .cu file is compiled for four generations of cards, by NVIDIA's compiler, which needs no card."""

import pytest
from cudashim import nvrtc

from minigan.errors import ConfigError
from minigan.kernels.cuda.launcher import FOLDER, source
from minigan.kernels.cuda.signature import signatures

FILES = sorted(path.stem for path in FOLDER.glob("*.cu"))


@pytest.mark.parametrize("dtype", ["float", "double"])
@pytest.mark.parametrize("architecture", ["sm_75", "sm_80", "sm_90", "sm_120"])
@pytest.mark.parametrize("file", FILES)
def test_compiles_for_every_generation_of_cards(file, architecture, dtype):
    code = nvrtc.cubin(source(file), ("-std=c++17", f"-DREAL={dtype}"), architecture)
    assert code[:4] == b"\x7fELF"
    assert all(name.encode() in code for name in signatures(source(file)))


def test_the_compiler_finds_a_mistake():
    with pytest.raises(RuntimeError, match=r'kernel.cu\(1\): error: identifier "y" is undefined'):
        nvrtc.cubin('extern "C" __global__ void k(REAL* x) { x[0] = y; }', ("-DREAL=float",), "sm_90")


@pytest.mark.parametrize("file", FILES)
def test_every_pointer_says_how_many_elements_it_has(file):
    kernels = signatures(source(file))
    assert len(kernels) == source(file).count("__global__")  # none was missed
    assert [p.name for parameters in kernels.values() for p in parameters if p.pointer and not p.count] == []


def test_a_signature_is_read_with_its_notes():
    found = signatures("""
        extern "C" __global__ void __launch_bounds__(256) k(const T* __restrict__ x /* max(n, 3) */,
            unsigned long long* state /* 1 or null */, T a, unsigned int n) {""")
    x, state, a, n = found["k"]
    assert (x.name, x.type, x.pointer, x.const, x.count, x.optional) == ("x", "T", True, True, "max(n, 3)", False)
    assert (state.type, state.count, state.optional) == ("unsigned long long", "1", True)
    assert (a.type, a.pointer, n.type) == ("T", False, "unsigned int")
    assert (a.dtype("float64"), n.dtype("float64")) == ("float64", "uint32")


def test_an_unknown_type_is_refused():
    with pytest.raises(ConfigError, match="kernel k: the parameter 'short x' is not understood"):
        signatures('extern "C" __global__ void k(short x) {')
