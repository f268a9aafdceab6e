"""Do the systems do what is claimed of them?  Each claim with its control, over several seeds: docs/results.md.

    python benchmarks/systems.py [CLAIM ...] [--seeds 0-4] [--jobs 2] [--out docs/results.json]
    python benchmarks/systems.py --table            the Markdown beside --out anew, without running anything

A claim is a few runs that differ in one thing, and checks of what they reach.  Each run is trained in a process of its own
with one BLAS thread, for its system's number of steps or, where a claim is about equal time, for as many seconds as the run
it is compared with took.   Runs that --out holds already are not made again.
"""

import argparse
import json
import operator
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy loads


@dataclass
class Arm:
    """One of the runs of a claim.   like: the arm whose seconds this one gets."""

    system: str
    data: str
    settings: dict = field(default_factory=dict)
    like: str = ""

    def command(self) -> str:
        """How to make such a run, as Markdown."""
        words = {k: str(v).lower() if isinstance(v, bool) else v for k, v in self.settings.items()}
        command = " ".join([f"minigan train {self.system} --data {self.data}", *(f"--set {k}={v}" for k, v in words.items())])
        return f"`{command} --seconds S`, S as {self.like} took" if self.like else f"`{command}`"


@dataclass
class Check:
    """What is claimed of every seed of an arm: that a number is "at least", "at most" or "below" a bound.

    bound: a number, or words: that of another arm, for the same seed (of="its start"), or another number of the same run.
    """

    arm: str
    number: str
    relation: str
    bound: float | str = ""
    of: str = ""

    def verdict(self, results) -> str:
        """A line: how many seeds fulfil it, and the figures of those that do not.   results: {arm: {seed: {number: value}}}"""
        misses, seeds = [], [s for s in results.get(self.arm, {}) if not self.of or s in results.get(self.of, {})]
        for seed in seeds:
            row = results[self.arm][seed]
            other = results[self.of][seed][self.number] if self.of else row.get(self.bound, self.bound)
            if not RELATIONS[self.relation](row[self.number], other):
                misses.append(f"{row[self.number]:.4g} against {other:.4g}" if isinstance(self.bound, str)
                              else f"{row[self.number]:.4g}")
        bound = f"that of {self.of}" if self.of else self.bound if isinstance(self.bound, str) else f"{self.bound:g}"
        text = f"{self.arm}: {self.number} {self.relation} {bound}"
        if not seeds:
            return f"- {text}: not measured"
        if misses:
            return f"- {text}: **not met** by {len(misses)} of {len(seeds)} seeds ({', '.join(misses)})"
        return f"- {text}: met by {len(seeds)} of {len(seeds)} seeds"


RELATIONS = {"at least": operator.ge, "at most": operator.le, "below": operator.lt}

# name: (the claim, the numbers shown, the arms by name, the checks; none where the claim is a comparison whatever it says)
CLAIMS: dict[str, tuple[str, list[str], dict[str, Arm], list[Check]]] = {
    "ring8": (
        "WGAN-GP finds all 8 modes of ring8 within 2 minutes, with 80 % of its samples within 3 standard deviations of one; "
        "the non-saturating GAN is known to be worse",
        ["modes", "fair-modes", "high-quality", "reverse-kl"],
        {"wgan-gp": Arm("wgan-gp", "ring8"), "gan (non-saturating)": Arm("gan", "ring8")},
        [Check("wgan-gp", "modes", "at least", 8), Check("wgan-gp", "high-quality", "at least", 0.8),
         Check("wgan-gp", "seconds", "at most", 120), Check("gan (non-saturating)", "seconds", "at most", 60)]),
    "grid25": (
        "WGAN-GP finds at least 24 of the 25 modes of grid25 within 5 minutes, with 80 % of its samples within 3 standard "
        "deviations of one; control: the GAN for as long",
        ["modes", "fair-modes", "high-quality", "reverse-kl"],
        {"wgan-gp": Arm("wgan-gp", "grid25"),
         "gan, equal time": Arm("gan", "grid25", {"steps": 10**6}, like="wgan-gp")},
        [Check("wgan-gp", "modes", "at least", 24), Check("wgan-gp", "high-quality", "at least", 0.8),
         Check("wgan-gp", "seconds", "at most", 300)]),
    "dcgan": (
        "DCGAN on MNIST has all ten digits, and a better fid-digits than the MLP GAN at equal time",
        ["fid-digits", "is-digits", "digits", "digits-confidence"],
        {"dcgan": Arm("dcgan", "mnist"), "gan, equal time": Arm("gan", "mnist", {"steps": 10**6}, like="dcgan")},
        [Check("dcgan", "fid-digits", "below", of="gan, equal time"), Check("dcgan", "digits", "at least", 10),
         Check("dcgan", "seconds", "at most", 300)]),
    "vae": (
        "The VAE's test ELBO on MNIST (784-400-20, dynamic binarisation) is better than -101 nats, its importance-weighted "
        "bound tighter",
        ["elbo", "iwae-100", "active-units"], {"vae": Arm("vae", "mnist")},
        [Check("vae", "elbo", "at least", -101), Check("vae", "elbo", "below", "iwae-100"),
         Check("vae", "seconds", "at most", 180)]),
    "cgan": (
        "At least 95 % of the conditional GAN's samples are the digit asked for, after 4 minutes; about 10 % when D saw "
        "shuffled labels",
        ["label-accuracy", "diversity-within"],
        {"cgan": Arm("cgan", "digits"), "shuffled labels": Arm("cgan", "digits", {"shuffle_labels": True})},
        [Check("cgan", "label-accuracy", "at least", 0.95), Check("shuffled labels", "label-accuracy", "at most", 0.15),
         Check("cgan", "seconds", "at most", 240)]),
    "cyclegan": (
        "CycleGAN from filled to outline digits keeps the label in at least 90 % and comes closer to the hidden true pair "
        "than the identity",
        ["label-kept", "label-kept-back", "label-kept-truth", "pair-l1", "identity-l1",
         "blank-l1", "cycle-l1", "correlation"],
        {"cyclegan": Arm("cyclegan", "filled-outline")},
        [Check("cyclegan", "label-kept", "at least", 0.9), Check("cyclegan", "label-kept-back", "at least", 0.9),
         Check("cyclegan", "pair-l1", "below", "identity-l1"), Check("cyclegan", "seconds", "at most", 300)]),
    "seqgan": (
        "SeqGAN brings the oracle's NLL below its start, 4,000 steps of maximum likelihood, below the constant-reward control, "
        "and below maximum likelihood for as long; the start at temperature 0.8 (nll-cool) is lower without learning anything",
        ["nll-oracle", "kl-oracle", "nll-test", "distinct", "nll-cool", "entropy"],
        {"seqgan": Arm("seqgan", "oracle"),
         "its start": Arm("seqgan", "oracle", {"steps": 4000}),
         "constant reward": Arm("seqgan", "oracle", {"reward": "constant", "baseline": False}),
         "maximum likelihood, equal time": Arm("seqgan", "oracle", {"mle_steps": 10**6, "steps": 10**6}, like="seqgan")},
        [Check("seqgan", "nll-oracle", "below", of="its start"),
         Check("seqgan", "nll-oracle", "below", of="constant reward"),
         Check("seqgan", "nll-oracle", "below", of="maximum likelihood, equal time"),
         Check("seqgan", "seconds", "at most", 300)]),
    "conjugate-gradients": (
        "What conjugate directions give a VAE, whose field is a gradient, and a GAN, whose field is not, beside Adam at equal "
        "time; seen: with a fixed step the GAN diverges, to NaN or infinity, with seeds 0, 1, 3 and 4",
        ["elbo", "modes", "fair-modes", "high-quality", "asymmetry"],
        {"vae, Adam": Arm("vae", "digits", {"steps": 3000}),
         "vae, Polak-Ribiere+ with line search": Arm(
             "vae", "digits", {"steps": 10**6, "optimizer": "polak-ribiere-search"}, like="vae, Adam"),
         "vae, the same at batch 1000": Arm(
             "vae", "digits", {"steps": 10**6, "optimizer": "polak-ribiere-search", "batch_size": 1000}, like="vae, Adam"),
         "gan, Adam": Arm("gan", "ring8"),
         "gan, Polak-Ribiere+ with fixed step": Arm(
             "gan", "ring8", {"steps": 10**6, "optimizer": "polak-ribiere", "lr": 0.01}, like="gan, Adam"),
         "gan, Polak-Ribiere+ with line search for G": Arm(
             "gan", "ring8", {"steps": 10**6, "optimizer_g": "polak-ribiere-search"}, like="gan, Adam")},
        []),
    "coordinate-gan": (
        "What coordinate descent on G's layers gives, beside Adam on all of G: at as many turns, at as many whole "
        "gradients of G (that of one of its four layers is a quarter), and at equal time",
        ["modes", "fair-modes", "high-quality", "reverse-kl"],
        {"cyclic": Arm("coordinate-gan", "ring8"),
         "random": Arm("coordinate-gan", "ring8", {"optimizer_g": "coordinate-random"}),
         "steepest": Arm("coordinate-gan", "ring8", {"optimizer_g": "coordinate-steepest"}),
         "Adam, equal turns": Arm("gan", "ring8"),
         "Adam, equal gradient evaluations": Arm("gan", "ring8", {"steps": 2500}),
         "Adam, equal time": Arm("gan", "ring8", {"steps": 10**6}, like="cyclic")},
        []),
}


def train(name, arm_name, seed, seconds) -> dict:
    """One run, measured: {"seconds" of its processor time, "steps", number: value, ...}."""
    from minigan.runs.evaluation import measure
    from minigan.runs.session import Session

    arm = CLAIMS[name][2][arm_name]
    quiet = {"log_every": 1000, "sample_every": 10**8, "checkpoint_every": 10**8}
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)
        session = Session.start(arm.system, arm.data, seed=seed, overrides=quiet | arm.settings, out=Path(folder) / "run")
        start = time.process_time()  # of this process alone, whatever else the machine does

        def report(step, losses):
            session.stopped = seconds is not None and time.process_time() - start >= seconds

        session.train(report=report)
        return {"seconds": round(time.process_time() - start, 1), "steps": session.step, **measure(session)}


def outcome(name, arm_name, seed, results) -> None:
    """Train in a process of its own, and keep what it measured in results."""
    like = CLAIMS[name][2][arm_name].like
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
    """The results as JSON, and as Markdown beside it."""
    path.write_text(json.dumps(results, indent=1) + "\n")
    path.with_suffix(".md").write_text(f"{HEAD}\n{table(results)}")


def table(results) -> str:
    """The results as Markdown: per claim a table, an arm a row, mean ± standard deviation [lowest, highest]."""
    lines = []
    for name, (claim, numbers, arms, checks) in CLAIMS.items():
        rows = {arm: list(results.get(name, {}).get(arm, {}).values()) for arm in arms}
        if not any(rows.values()):
            lines += [f"### {name}", "", f"{claim}.", "", "Not measured yet.", ""]
            continue
        lines += [f"### {name}", "", claim + ".", "", f"| run | seeds | seconds | steps | {' | '.join(numbers)} |",
                  "| --- " * (len(numbers) + 4) + "|"]
        for arm, found in rows.items():
            if found:
                cells = [summary([row[number] for row in found if number in row])
                         for number in ("seconds", "steps", *numbers)]
                lines.append(f"| {arm} | {len(found)} | {' | '.join(cells)} |")
        lines += ["", *[f"- {arm}: {arms[arm].command()}" for arm, found in rows.items() if found], ""]
        lines += [*[check.verdict(results[name]) for check in checks], *([""] if checks else [])]
    return "\n".join(lines)


def summary(values) -> str:
    """mean +- standard deviation [lowest, highest]; one number where all are equal."""
    if not values:
        return "-"
    if max(values) == min(values):
        return f"{values[0]:.4g}"
    return f"{statistics.mean(values):.3g} ± {statistics.stdev(values):.2g} [{min(values):.3g}, {max(values):.3g}]"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("claims", nargs="*", help=", ".join(CLAIMS))
    parser.add_argument("--seeds", default="0-4", help="such as 0-4")
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
    first, _, last = options.seeds.partition("-")
    seeds = range(int(first), int(last or first) + 1)
    for later in (False, True):  # an arm of equal time waits for the one it is compared with
        todo = [(name, arm, seed) for name in options.claims or CLAIMS for arm, about in CLAIMS[name][2].items()
                for seed in seeds if bool(about.like) == later and str(seed) not in results.get(name, {}).get(arm, {})]
        with ThreadPoolExecutor(options.jobs) as pool:
            for _ in pool.map(lambda job: outcome(*job, results), todo):
                write(results, options.out)


if __name__ == "__main__":
    main()
