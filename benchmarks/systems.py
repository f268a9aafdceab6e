"""Do the systems reach what their files claim?  This runs each claim with its control, over several seeds: docs/results.md.

    python benchmarks/systems.py [CLAIM ...] [--seeds 0-9] [--jobs 2] [--out docs/results.json]
    python benchmarks/systems.py --table            write the Markdown beside --out again, without running anything

A claim stands in its system's file (minigan/systems/claims.py explains it): a few runs that differ in one thing, and checks of
their numbers.  Each run trains in its own process with one BLAS thread, for its system's number of steps.  If a claim is about
equal time, a run trains for as many seconds as the run that it is compared with.   Runs that --out already contains are not
made again.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy loads

from minigan.systems import registry
from minigan.systems.claims import Arm, Claim


def claims() -> dict[str, Claim]:
    """Every claim by name: those in the systems' files, and those about more than one system."""
    members = [one for family in registry.families().values() for one in family]
    return {claim.name: claim for one in members for claim in one.claims} | COMPARISONS


COMPARISONS = {
    "conjugate-gradients": Claim(
        "conjugate-gradients",
        "What conjugate directions give a VAE, whose field is a gradient, and a GAN, whose field is not, beside Adam at equal "
        "time; seen: with a fixed step the GAN diverges, to NaN or infinity, with seeds 0, 1, 3 and 4",
        ["elbo", "modes", "fair-modes", "high-quality", "asymmetry"],
        {
            "vae, Adam": Arm("vae", "digits", {"steps": 3000}),
            "vae, Polak-Ribiere+ with line search": Arm(
                "vae", "digits", {"steps": 10**6, "optimizer": "polak-ribiere-search"}, like="vae, Adam"
            ),
            "vae, the same at batch 1000": Arm(
                "vae", "digits", {"steps": 10**6, "optimizer": "polak-ribiere-search", "batch_size": 1000}, like="vae, Adam"
            ),
            "gan, Adam": Arm("gan", "ring8"),
            "gan, Polak-Ribiere+ with fixed step": Arm(
                "gan", "ring8", {"steps": 10**6, "optimizer": "polak-ribiere", "lr": 0.01}, like="gan, Adam"
            ),
            "gan, Polak-Ribiere+ with line search for G": Arm(
                "gan", "ring8", {"steps": 10**6, "optimizer_g": "polak-ribiere-search"}, like="gan, Adam"
            ),
        },
    )
}
CLAIMS = claims()
# What single runs have shown besides, with one seed unless it is said otherwise; a page has room for it, a system's file not.
NOTES = {
    "dcgan-digits": """What helps, one change after another: one seed, 44 to 58 seconds each, about a third of the default run.
The real digits have confidence 1.00.

| run | steps | fid-digits | digits-confidence | recall-digits |
| --- | --- | --- | --- | --- |
| as before | 833 | 2.05 | 0.880 | 0.71 |
| as before, rates that fall to 1/100 | 833 | 1.98 | 0.882 | 0.69 |
| as before, falling rates and relativistic | 700 | 2.57 | 0.889 | 0.62 |
| as before, falling rates, D with spectral norm instead of batch norm | 833 | 2.90 | 0.870 | 0.62 |
| as before, falling rates and beta2=0.99 | 833 | 2.07 | 0.878 | 0.70 |
| as before, falling rates and 24 channels | 1150 | 2.19 | 0.881 | 0.70 |
| as before, ema=0.995 | 833 | 1.75 | 0.881 | 0.77 |
| ema=0.997 and batches of 32 | 1500 | 1.47 | 0.891 | 0.77 |
| ... and twice the rates | 1500 | 1.43 | 0.895 | 0.77 |
| ... of these the usual rates, smallest=4 and 24 channels | 1500 | 0.82 | 0.908 | 0.79 |
| ... with 16 channels | 2200 | 0.75 | 0.912 | 0.82 |
| ... with 32 channels | 950 | 0.92 | 0.898 | 0.79 |
| ... with 24 channels and batches of 64, ema=0.995 | 850 | 1.02 | 0.905 | 0.82 |
| ... with 24 channels, batches of 32 and twice the rates: as now | 1500 | 0.70 | 0.919 | 0.80 |

At the full number of steps falling rates give 0.67 where constant ones give 0.49 (seed 0).   By eye: of 100 samples, mixed
with 50 real digits in an order that the reader did not know, 57 (seed 0) and 68 (seed 3) were read at once as one digit, and
all the real ones; before it were 8 of 36.
These times are older than the convolutions of now: on MNIST, above, the same two take 96 and 83 seconds, and minigan 0.1
itself took 112.""",
    "ring8": "With two minutes for each, the share of high-quality samples was 0.77 with five critic steps, 0.79 with "
    "three and 0.93 with one.",
    "grid25": "With one critic step the share of high-quality samples was 0.69 after 40,000 steps, 0.80 after 60,000 with "
    "G's rate doubled, and 0.84 after 80,000.",
    "vae": "With another seed, 9,000 steps reached an ELBO of -100.5 and a bound of -95.8.",
    "cgan": "The share of samples that are the digit asked for was 0.88 after 1,000 steps and 0.97 after 2,500; with "
    "shuffled labels it was 0.11 after 750.  With nets=mlp, lr=2e-4 and no norm it was 0.19 after 4,000 steps.",
    "cyclegan": "After 150 steps the correlation of the outlines made with the hidden true ones was 0.77; with cycle=10 it "
    "was 0.48, and with identity=0.5 it was 0.02.  After 1,000 steps at constant rates the share of fillings that "
    "are still the digit outlined lay between 0.87 and 0.99 over five seeds; the worst of these seeds has 0.98 "
    "now.",
    "seqgan": "From a start of 300 steps of maximum likelihood (NLL by the oracle 2.85) it reached 2.76 with D's rate 1e-3 "
    "and 32 channels, 2.70 with rate 3e-3, and 2.66 with 64 channels too; from a start of 4,000 steps (2.59) it "
    "reached 2.49 with both.  Maximum likelihood alone reaches 2.52 if its rate falls to 1/100 over 40,000 steps.",
}


def train(name, arm_name, seed, seconds) -> dict:
    """Train and measure one run: {"seconds" of its processor time, "steps", number: value, ...}."""
    from minigan.runs.evaluation import measure
    from minigan.runs.session import Session

    arm = CLAIMS[name].arms[arm_name]
    quiet = {"log_every": 1000, "sample_every": 10**8, "checkpoint_every": 10**8}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        session = Session.start(arm.system, arm.data, seed=seed, overrides=quiet | arm.settings, out=Path(folder) / "run")
        start = time.process_time()  # processor time, because other programs share the machine

        def report(step, losses):
            session.stopped = seconds is not None and time.process_time() - start >= seconds

        session.train(report=report)
        return {"seconds": round(time.process_time() - start, 1), "steps": session.step, **measure(session)}


def outcome(name, arm_name, seed, results) -> None:
    """Train in a process of its own, and add its numbers to results."""
    like = CLAIMS[name].arms[arm_name].like
    limit = results[name][like][str(seed)]["seconds"] if like else None
    command = [sys.executable, __file__, "--one", json.dumps([name, arm_name, seed, limit])]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        print(f"{name}, {arm_name}, seed {seed}: failed, see above", file=sys.stderr)
        return
    found = json.loads(done.stdout.splitlines()[-1])
    results.setdefault(name, {}).setdefault(arm_name, {})[str(seed)] = found
    print(f"{name}, {arm_name}, seed {seed}: " + ", ".join(f"{k} {v:.4g}" for k, v in found.items()), file=sys.stderr)


HEAD = """# What the systems reach, measured

Made by `python benchmarks/systems.py`, which trains each run in a process of its own with one BLAS thread; seconds are
processor time. mean ± standard deviation [lowest, highest] over the seeds; `minigan list metrics` says what a number is.
Under each table stand the commands that make such runs, what was claimed, and whether every seed fulfils it. Five seeds are
meant; where a row has fewer, the others diverged, as the claim says, or are not measured yet. Other work shared the machine,
which makes processor time longer.
"""


def write(results, path) -> None:
    """Write the results as JSON, and as Markdown beside it."""
    path.write_text(json.dumps(results, indent=1) + "\n")
    path.with_suffix(".md").write_text(f"{HEAD}\n{table(results)}")


def table(results) -> str:
    """The results as Markdown: per claim a table, an arm a row, mean ± standard deviation [lowest, highest]."""
    lines = []
    for name, about in CLAIMS.items():
        claim, numbers, arms, checks = about.says, about.numbers, about.arms, about.checks
        rows = {arm: list(results.get(name, {}).get(arm, {}).values()) for arm in arms}
        if not any(rows.values()):
            lines += [f"### {name}", "", f"{claim}.", "", "Not measured yet.", ""]
            continue
        lines += [
            f"### {name}",
            "",
            claim + ".",
            "",
            f"| run | seeds | seconds | steps | {' | '.join(numbers)} |",
            "| --- " * (len(numbers) + 4) + "|",
        ]
        for arm, found in rows.items():
            if found:
                cells = [summary([row[number] for row in found if number in row]) for number in ("seconds", "steps", *numbers)]
                lines.append(f"| {arm} | {len(found)} | {' | '.join(cells)} |")
        lines += ["", *[f"- {arm}: {arms[arm].command()}" for arm, found in rows.items() if found], ""]
        lines += [*[check.verdict(results[name]) for check in checks], *([""] if checks else [])]
        lines += [f"Seen besides: {NOTES[name]}", ""] if name in NOTES else []
    return "\n".join(lines)


def summary(values) -> str:
    """mean +- standard deviation [lowest, highest]; one number where all are equal."""
    if not values:
        return "-"
    if max(values) == min(values):
        return f"{values[0]:.4g}"
    return f"{statistics.mean(values):.3g} ± {statistics.stdev(values):.2g} [{min(values):.3g}, {max(values):.3g}]"


def seeds(claim, text) -> range:
    """The seeds to run a claim with: those of the text, such as "0-4" or "3", or else as many as the claim means, from 0."""
    if text is None:
        return range(claim.seeds)
    first, _, last = text.partition("-")
    return range(int(first), int(last or first) + 1)


def main():
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("claims", nargs="*", help=", ".join(CLAIMS))
    parser.add_argument("--seeds", help="such as 0-4 (default: as many as the claim means)")
    parser.add_argument("--jobs", type=int, default=2, help="runs at a time")
    parser.add_argument("--out", type=Path, default=Path("docs/results.json"))
    parser.add_argument("--table", action="store_true")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(train(*json.loads(options.one))))
        return
    results = json.loads(options.out.read_text()) if options.out.exists() else {}
    if options.table:
        write(results, options.out)
        return
    for later in (False, True):  # runs of equal time come later, because they need the seconds of the others
        todo = [
            (name, arm, seed)
            for name in options.claims or CLAIMS
            for arm, about in CLAIMS[name].arms.items()
            for seed in seeds(CLAIMS[name], options.seeds)
            if bool(about.like) == later and str(seed) not in results.get(name, {}).get(arm, {})
        ]
        with ThreadPoolExecutor(options.jobs) as pool:
            for _ in pool.map(lambda job: outcome(*job, results), todo):
                write(results, options.out)


if __name__ == "__main__":
    main()
