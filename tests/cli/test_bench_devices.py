"""`minigan bench --device`: results are checked, ceilings hold, crossings are found, nobody takes the stand-in for a card."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from minigan.backend import check_device
from minigan.cli import bench, main
from minigan.errors import DeviceError

sys.path.insert(0, str(bench.script("devices").parent))
import clocks
import crossings
import device_rows
import device_sides
import device_steps
import devices
import first_run_on_a_gpu as first_run
import parity

KEYS = {
    "group",
    "row",
    "size",
    "library",
    "device",
    "mode",
    "tf32",
    "operations",
    "bytes",
    "is_cold",
    "error",
    "tolerance",
    "first",
    "latency",
    "burst",
    "low",
    "high",
    "enqueue",
    "with_transfers",
    "calls",
    "bursts",
    "floor",
    "bound",
    "share",
}


@pytest.fixture
def one_system(monkeypatch):
    """The training steps are those of the smallest system."""
    monkeypatch.setattr(device_rows, "MULTIPLICATIONS", {"toy-gan": device_rows.MULTIPLICATIONS["toy-gan"]})


@pytest.fixture
def no_peer(monkeypatch):
    """A machine without PyTorch."""
    monkeypatch.setattr(devices, "SIDES", devices.SIDES[:2])


def run(capsys, *arguments):
    """(exit code, the JSON, what was told as an error) of a run in this process."""
    capsys.readouterr()
    code = devices.main([*arguments, "--json"])
    out, told = capsys.readouterr()
    return code, json.loads(out), told


def check(found, groups):
    """The result has all its parts, and every row what a row has."""
    assert {row["group"] for row in found["rows"]} == set(groups)
    for row in found["rows"]:
        assert set(row) == KEYS
        assert 0 <= row["error"] <= row["tolerance"] and row["floor"] > 0 and row["bound"] in ("product", "memory")
        assert all(row[key] > 0 for key in ("first", "latency", "burst", "low", "high", "enqueue"))
    assert found["environment"]["kernel"] and found["environment"]["commit"]
    assert all(rate > 0 for ceilings in found["ceilings"].values() for rate in ceilings.values())


def test_quick_on_the_cpu_checks_every_row():
    command = [sys.executable, "-m", "minigan", "bench", "--device", "cpu", "--quick", "--json"]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr
    found = json.loads(result.stdout)
    check(found, devices.GROUPS)
    assert found["card"] is None and not found["failures"] and not found["crossings"]
    assert {row["device"] for row in found["rows"]} == set(found["ceilings"]) == {"cpu"}
    assert {row["row"] for row in found["rows"] if row["group"] == "steps"} == set(device_rows.MULTIPLICATIONS)


@pytest.mark.parametrize("device", ["both", "cuda"])
def test_without_a_card_one_line_says_so(device, capsys, monkeypatch):
    monkeypatch.setenv("FAKECUPY_CARDS", "0")
    monkeypatch.setattr("cupy._fake.machine.cards", 0, raising=True)
    assert devices.main(["--device", device, "--quick"]) == 2
    out, told = capsys.readouterr()
    with pytest.raises(DeviceError, match="CuPy is installed but finds no") as problem:
        check_device("cuda")
    assert not out and told == f"minigan: {problem.value}\n" and told.count("\n") == 1


def test_the_command_takes_device_for_this_benchmark_alone(capsys):
    assert main(["bench", "kernels", "--device", "cpu"]) == 2
    assert "--device is for `minigan bench devices`" in capsys.readouterr().err
    assert devices.main(["--device", "tpu"]) == 2
    assert "unknown device 'tpu'" in capsys.readouterr().err


def test_the_stand_in_runs_everything_and_cannot_be_taken_for_a_card(card, capsys, one_system, no_peer, tmp_path):
    code, found, told = run(capsys, "--device", "both", "--quick", "--out", str(tmp_path))
    assert code == 0 and not told and not found["failures"]
    check(found, devices.GROUPS)
    on_card = [row for row in found["rows"] if row["device"] == "cuda"]
    cases = lambda rows: {(row["row"], row["size"]) for row in rows}
    assert cases(on_card) == cases(row for row in found["rows"] if row["device"] == "cpu")
    assert all(row["with_transfers"] > 0 for row in on_card)
    # Whole steps, launched from a graph, give the very weights of eager ones.
    captured = [row for row in on_card if row["mode"] == "captured"]
    assert captured and all(row["error"] == 0 for row in captured)
    assert {row["tf32"] for row in on_card if row["group"] in ("gemm", "conv", "steps")} == {False, True}
    assert {entry["row"] for entry in found["crossings"]} >= {"gemm n x n x n", "add", "Adam", "toy-gan"}
    assert found["card"]["is_stand_in"] and "product, TF32" in found["ceilings"]["cuda"]
    text = (tmp_path / "devices.md").read_text()
    assert "NOT A GPU" in text and "stand-in" in text and text.count("GPU") == 1
    assert {path.name for path in tmp_path.iterdir()} == {
        "devices.json",
        "devices.md",
        "devices-kernels.png",
        "devices-steps.png",
        "devices-roofline.png",
    }


def test_a_wrong_kernel_fails_its_row_and_the_others_go_on(card, capsys, no_peer, monkeypatch):
    from minigan.kernels.cuda import adam

    right = adam.update
    monkeypatch.setattr(
        adam,
        "update",
        lambda w, g, state, t, options, clock=None: right(w, g, state, t, {**options, "betas": (0.9, 0.99)}, clock),
    )
    code, found, told = run(capsys, "--device", "cuda", "--quick", "adam", "reduction")
    assert code == 1 and {row["group"] for row in found["rows"]} == {"reduction"}
    assert "minigan on cuda: Adam 16, eager: AssertionError: off by" in told and len(found["failures"]) == 2


@pytest.mark.parametrize("plant", [lambda a: 1.001 * a, lambda a: np.nan * a, lambda a: a[:0]])
def test_a_wrong_result_fails(capsys, no_peer, monkeypatch, plant):
    right = devices.Side.get
    monkeypatch.setattr(devices.Side, "get", lambda self, results: [plant(np.atleast_1d(a)) for a in right(self, results)])
    code, found, _ = run(capsys, "--device", "cpu", "--quick", "elementwise")
    assert code == 1 and not found["rows"] and len(found["failures"]) == 8


@pytest.mark.parametrize("again, code", [(1e6, 1), (1e18, 0)])
def test_a_rate_above_its_ceiling_fails_unless_the_ceiling_was_disturbed(again, code, capsys, no_peer, monkeypatch):
    seen = iter([1e6, again])  # of the first and of the second time the ceilings are measured
    monkeypatch.setattr(devices, "apart", lambda function, *arguments: function(*arguments))
    monkeypatch.setattr(device_sides, "host_ceilings", lambda *_: dict.fromkeys(("memory", "cache", "product"), next(seen)))
    monkeypatch.setitem(devices.GROUPS, "gemm", lambda quick: list(device_rows.products(True))[:1])
    got, found, told = run(capsys, "--device", "cpu", "--seconds", "0.01", "gemm")
    assert got == code and len(found["rows"]) == 1
    assert ("less than its floor, 1.02 ms at the ceiling of product: the clock is wrong" in told) == bool(code)


def test_a_process_that_is_killed_costs_its_group_alone():
    killed = lambda *_: devices.apart(os._exit, 9)
    found = devices.survive(killed, "minigan", "cpu", 1, "gemm", True, 0.0)
    assert found["rows"] == [] and "all of gemm: its process was killed" in found["failures"][0]


def test_a_floor_is_the_longer_of_two_times_at_the_ceiling_that_fits():
    ceilings = {"cuda": {"memory": 1e9, "cache": 4e9, "product": 1e12, "product, TF32": 5e12}}
    row = {
        "device": "cuda",
        "library": "minigan",
        "row": "add",
        "operations": 1e9,
        "bytes": 4e6,
        "is_cold": True,
        "tf32": False,
        "burst": 8e-3,
    }
    rows = [
        row,
        row | {"is_cold": False},
        row | {"is_cold": False, "tf32": True, "operations": 1e10},
        row | {"burst": 3e-3},
        row | {"library": "PyTorch", "row": "conv 1-64", "operations": 1e11, "burst": 9e-3},
        row | {"row": "conv 1-64", "operations": 1e11, "burst": 9e-3},
    ]
    assert devices.hold(rows, ceilings) == [rows[3], rows[5]]
    assert [r["floor"] for r in rows] == pytest.approx([4e-3, 1e-3, 2e-3, 4e-3, 4e-3, 0.1])
    assert [r["bound"] for r in rows[:3]] in (["memory", "memory", "product"], ["memory", "product", "product"])
    assert rows[3]["share"] == pytest.approx(4 / 3)


@pytest.mark.parametrize(
    "cpu, card, at",
    [
        ([1, 10, 100, 1000], [30, 30, 30, 30], 30.0),  # the CPU's time grows with the size, the card's does not
        ([1, 10, 100, 1000], [2, 20, 200, 2000], None),
        ([1, 10, 100, 1000], [0.5, 0.5, 0.5, 0.5], 1.0),
        ([1, 10, 100, 1000], [0.5, 30, 30, 30], 30.0),  # it wins, loses, wins: the last time counts
        ([1, 10, 100, 1000], [30, 30, 30, 3000], None),
    ],
)
def test_the_crossing_is_where_the_lines_cross_for_good(cpu, card, at):
    found = crossings.crossing([1, 10, 100, 1000], cpu, card)
    assert found == (None if at is None else pytest.approx(at))
    assert crossings.crossing([1000, 1, 100, 10], [cpu[i] for i in (3, 0, 2, 1)], [card[i] for i in (3, 0, 2, 1)]) == found


def test_the_crossings_are_those_of_the_device_with_its_transfers_and_captured():
    def row(device, size, burst, mode="eager", tf32=False, with_transfers=None):
        return {
            "row": "toy-gan",
            "library": "minigan",
            "device": device,
            "size": size,
            "burst": burst,
            "mode": mode,
            "tf32": tf32,
            "with_transfers": with_transfers,
            "group": "steps",
        }

    rows = [row("cpu", n, n) for n in (1, 10, 100)]
    rows += [row("cuda", n, 5, with_transfers=50) for n in (1, 10, 100)]
    rows += [row("cuda", n, 0.5, mode="captured", with_transfers=50) for n in (1, 10, 100)]
    rows += [row("cuda", n, 500, tf32=True, with_transfers=50) for n in (1, 10, 100)]
    rows += [row("cuda", n, 1e-9) | {"library": "PyTorch"} for n in (1, 10, 100)]
    (found,) = devices.crossings_of(rows)
    assert found == {
        "row": "toy-gan",
        "smallest": 1,
        "largest": 100,
        "eager": pytest.approx(5),
        "with transfers": pytest.approx(50),
        "TF32": None,
        "captured": 1.0,
    }
    table = devices.tables({"rows": [], "card": None, "ceilings": {}, "crossings": [found]})
    line = table["From which size the GPU needs less time than the CPU"].splitlines()[2]
    assert [cell.strip() for cell in line.split("|")[1:-1]] == ["toy-gan", "1", "100", "5", "50", "never", "always"]


def test_a_burst_is_the_devices_time_of_one_call_and_is_read_after_waiting():
    class Clock(clocks.HostClock):
        """A device that needs 3 seconds for a call, and whose time can be read when it was waited for."""

        now, done = 0.0, -1.0

        def mark(self):
            return self.now

        def between(self, start, end):
            assert self.done >= end, "read before the work was done"
            return end - start

        def wait(self):
            self.done = self.now

    clock, seen = Clock(), []

    def call(i):
        clock.now += 3
        seen.append(i)

    found = clocks.measure(call, clock, 0.01)
    assert found["burst"] == found["low"] == found["high"] == 3 and found["bursts"] >= 3
    assert 0 < found["latency"] < 1 and 0 < found["enqueue"] < 1  # the host's, which only hands the call over
    assert seen == list(range(len(seen)))
    assert clocks.measure(call, clock, 0.01, once=True)["bursts"] == 1


def test_ceilings_are_those_of_the_fastest_way():
    sizes = []

    def product(n):
        sizes.append(n)
        return lambda: None

    found = clocks.host_ceilings(1, product, 0.0, small=True)
    assert sizes == [32] and found["product"] > 0 and found["cache"] >= found["memory"] > 0
    both = [{"memory": 1.0, "product": 5.0}, {"memory": 2.0, "product": None}]
    assert devices.largest(both) == {"memory": 2.0, "product": 5.0}


def test_multiplications_of_a_step_are_those_that_are_done(monkeypatch):
    from minigan.ops import linalg

    counted, right, batch = [], linalg.dispatch.matmul, 8

    def counting(a, b):
        counted.append(a.shape[0] * a.shape[1] * b.shape[1])
        return right(a, b)

    monkeypatch.setattr(linalg.dispatch, "matmul", counting)
    for name in ("mlp-gan", "vae", "wgan-gp-critic", "toy-gan"):
        training = device_steps.Training(device_steps.Minigan(), device_steps.STEPS[name][0])
        counted.clear()
        training.step(training.lib.tensor(device_steps.samples(name, batch)))
        assert sum(counted) == batch * device_steps.MULTIPLICATIONS[name], name


def test_parity_holds_every_op_and_layer_on_the_stand_in(card, capsys):
    assert parity.main(["--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["rows"]
    assert {row["case"].partition(",")[0] for row in rows} >= set(parity.optable.TABLE)
    assert len(rows) >= len(parity.LAYERS) + sum(len(op.cases) for op in parity.optable.TABLE.values())
    assert sum(row["TF32"] for row in rows) == len(parity.LAYERS) - 1
    assert max(row["error"] for row in rows) < 1e-4 and all(row["problem"] is None for row in rows)


@pytest.mark.parametrize(
    "plant, told",
    [
        (lambda arrays: [1.001 * a for a in arrays], "off by 1.0e-03, more than 0.0001"),
        (lambda arrays: [np.nan * a for a in arrays], "off by nan"),
        (lambda arrays: arrays[:1], "AssertionError: shapes differ"),
    ],
)
def test_parity_notices_what_is_wrong(capsys, monkeypatch, plant, told):
    right = parity.results
    monkeypatch.setattr(
        parity,
        "results",
        lambda run, device, dtype: right(run, device, dtype) if dtype is np.float64 else plant(right(run, device, dtype)),
    )
    monkeypatch.setattr(parity.optable, "TABLE", {"tanh": parity.optable.TABLE["tanh"]})
    monkeypatch.setattr(parity, "LAYERS", parity.LAYERS[:1])
    assert parity.main(["--device", "cpu"]) == 1
    error = capsys.readouterr().err
    assert told in error and "parity: Linear" in error


def test_the_first_run_goes_on_after_a_failure_and_tells_it(tmp_path, capsys, monkeypatch):
    print_backend = [sys.executable, "-c", "import os, minigan; print(os.environ['MINIGAN_BACKEND'])"]
    monkeypatch.setattr(
        first_run,
        "steps",
        lambda folder: [
            ("breaks", "", [sys.executable, "-c", "raise SystemExit(3)"]),
            ("absent", "", ["no-such-program-here"]),
            ("works", "", print_backend),
        ],
    )
    assert first_run.main(["--out", str(tmp_path)]) == 1
    table = (tmp_path / "summary.md").read_text()
    assert [line.split("|")[2].strip() for line in table.splitlines()[2:]] == ["FAILED, exit code 3", "not here", "ok"]
    assert (tmp_path / "works.txt").read_text() == "cupy\n" and "CUDA toolkit" in (tmp_path / "absent.txt").read_text()
    assert first_run.main(["--out", str(tmp_path), "--from", "absent"]) == 0
    with pytest.raises(SystemExit):
        first_run.main(["--from", "nothing"])


def test_the_first_run_names_every_group_of_the_benchmark_and_files_that_exist(tmp_path, capsys):
    assert first_run.main(["--list", "--out", str(tmp_path / "new")]) == 0
    listed = capsys.readouterr().out
    assert not (tmp_path / "new").exists()
    commands = [command for _, _, command in first_run.steps(tmp_path / "new")]
    assert {word for command in commands for word in command} >= set(devices.GROUPS)
    assert all(" ".join(command) in listed for command in commands)
    assert listed.count("MINIGAN_NO_POOL=1 compute-sanitizer") == listed.count("compute-sanitizer --tool") == 3
    assert all(Path(word).is_file() for command in commands for word in command if word.endswith(".py"))
