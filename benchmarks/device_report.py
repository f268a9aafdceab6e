"""The report of devices.py: tables, plots, and the sizes from which the GPU wins.

crossings_of    the size from which the GPU needs less time       heading     the machine and remarks, in a few lines
tables          title -> Markdown table                            draw        writes the plots (made by crossings.py)
"""

import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from crossings import crossing, curves, roofline
from harness import describe, markdown


def series(row, is_stand_in) -> str:
    """The name of the line in the plots that a row belongs to."""
    place = "CPU" if row["device"] == "cpu" else "stand-in" if is_stand_in else "GPU"
    return (
        (f"PyTorch {place}" if row["library"] == "PyTorch" else place)
        + (", TF32" if row["tf32"] else "")
        + (", captured" if row["mode"] == "captured" else "")
    )


def crossings_of(rows) -> list[dict]:
    """For every row, the size from which the GPU wins: eager, with transfers, with TF32, captured.   None: it never wins."""
    found = []
    ours = [row for row in rows if row["library"] == "minigan"]
    for name in dict.fromkeys(row["row"] for row in ours):
        some = [row for row in ours if row["row"] == name]
        cpu = {row["size"]: row["burst"] for row in some if row["device"] == "cpu"}
        kinds = {
            "eager": ("burst", False, "eager"),
            "with transfers": ("with_transfers", False, "eager"),
            "TF32": ("burst", True, "eager"),
            "captured": ("burst", False, "captured"),
        }
        entry, known = {"row": name, "smallest": min(cpu, default=0), "largest": max(cpu, default=0)}, False
        for kind, (key, tf32, mode) in kinds.items():
            times = {
                row["size"]: row[key]
                for row in some
                if row["device"] != "cpu" and row["tf32"] == tf32 and row["mode"] == mode and row["size"] in cpu
            }
            if len(times) > 1:
                known = True
                entry[kind] = crossing(list(times), [cpu[n] for n in times], list(times.values()))
        if known:
            found.append(entry)
    return found


def milliseconds(seconds) -> str:
    """Seconds as a text in milliseconds, with three digits."""
    return "" if seconds is None else f"{1e3 * seconds:.3g}"


def tables(result) -> dict:
    """Title -> Markdown table."""
    rows, stand_in = result["rows"], bool(result["card"] and result["card"]["is_stand_in"])
    there = "stand-in" if stand_in else "GPU"
    roofs = [
        {"device": device, "ceiling": key, "at most": f"{rate / 1e9:.4g} " + ("GFLOP/s" if "product" in key else "GB/s")}
        for device, known in result["ceilings"].items()
        for key, rate in sorted(known.items())
    ]
    found = {"Ceilings": markdown(roofs, ["device", "ceiling", "at most"])}
    kinds = list(dict.fromkeys(series(row, stand_in) for row in rows))
    if len(kinds) > 1:
        lines = {}
        for row in rows:
            line = lines.setdefault((row["row"], row["size"]), {"row": row["row"], "size": row["size"]})
            line[series(row, stand_in)] = milliseconds(row["burst"])
            if row["library"] == "minigan" and row["mode"] == "eager" and not row["tf32"]:
                line["CPU s" if row["device"] == "cpu" else "GPU s"] = row["burst"]
                if row["device"] != "cpu":
                    line["with transfers"] = milliseconds(row["with_transfers"])
        for line in lines.values():
            if "CPU s" in line and "GPU s" in line:
                line[f"CPU / {there}"] = f"{line['CPU s'] / line['GPU s']:.3g}"
        extra = ["with transfers", f"CPU / {there}"] if any("with transfers" in line for line in lines.values()) else []
        found["Milliseconds of one call"] = markdown(list(lines.values()), ["row", "size", *kinds, *extra])
    if result["crossings"]:
        kinds = ("eager", "with transfers", "TF32", "captured")
        columns = ["row", "smallest", "largest", *(k for k in kinds if any(k in c for c in result["crossings"]))]
        text = lambda at, smallest: "never" if at is None else "always" if at == smallest else f"{at:.3g}"
        found[f"From which size the {there} needs less time than the CPU"] = markdown(
            [c | {k: text(c[k], c["smallest"]) for k in kinds if k in c} for c in result["crossings"]], columns
        )
    details = [
        {
            "row": r["row"],
            "size": r["size"],
            "on": series(r, stand_in),
            "first": milliseconds(r["first"]),
            "latency": milliseconds(r["latency"]),
            "burst": milliseconds(r["burst"]),
            "from - to": f"{milliseconds(r['low'])} - {milliseconds(r['high'])}",
            "enqueue": milliseconds(r["enqueue"]),
            "floor": milliseconds(r["floor"]),
            "share": f"{r['share']:.2f}",
            "bound": r["bound"],
            "GFLOP/s": f"{r['operations'] / r['burst'] / 1e9:.3g}",
            "GB/s": f"{r['bytes'] / r['burst'] / 1e9:.3g}",
            "error": f"{r['error']:.0e}",
        }
        for r in rows
    ]
    found["Every row beside its ceiling (times in ms)"] = markdown(details, list(details[0]) if details else ["row"])
    return found


def heading(result) -> str:
    """The environment and remarks, in a few lines."""
    env, found = result["environment"], result["card"]
    lines = [f"{describe(env)}; commit {env['commit']}"]
    if found and found["is_stand_in"]:
        lines.append(
            f"NOT A GPU: a stand-in for CuPy {found['cupy']} that computes with NumPy on the CPU. Its times say "
            "nothing about a real one."
        )
    elif found:
        lines.append(
            f"{found['name']} (compute capability {found['capability']}, {found['multiprocessors']} multiprocessors, "
            f"cache {found['cache'] / 2**20:.0f} MiB); CuPy {found['cupy']}, CUDA runtime {found['cuda_runtime']}, "
            f"driver for CUDA {found['cuda_driver']}; {found['driver'] or 'driver version unknown'}; "
            f"NVIDIA_TF32_OVERRIDE {found['tf32_override'] or 'not set'}"
        )
    peers = ", ".join(f"{p['library']} {p['version']} on {p['device']}" for p in result["peers"]) or "none"
    lines.append(f"peers: {peers}; {result['threads']} threads on the CPU; TF32 off unless a column says TF32")
    if result["quick"]:
        lines.append("A quick run: tiny sizes, once each. It only checks results; its times say nothing.")
    return "\n\n".join(lines)


def commit() -> str:
    """The commit of this checkout, with a + if files differ from it; "unknown" outside a checkout."""
    git = lambda *words: (
        subprocess.run(["git", *words], cwd=Path(__file__).parent, capture_output=True, text=True, check=True).stdout
    )
    try:
        return git("rev-parse", "--short=12", "HEAD").strip() + ("+" if git("status", "--porcelain", "-uno").strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def draw(result, folder):
    """Write the plots to the folder."""
    stand_in = bool(result["card"] and result["card"]["is_stand_in"])
    title = (
        "NOT A GPU: a stand-in that computes with NumPy; its times say nothing"
        if stand_in
        else result["card"]["name"] + " and " + result["environment"]["processor"]
        if result["card"]
        else result["environment"]["processor"]
    )
    rows = [row | {"series": series(row, stand_in)} for row in result["rows"]]
    name = "stand-in" if stand_in else "GPU"
    lines = rows + [
        row | {"series": f"{name}, with transfers", "burst": row["with_transfers"]} for row in rows if row["series"] == name
    ]
    lines = [row for row in lines if row["group"] != "overhead"]  # these have one size only
    at = {c["row"]: c.get("eager") for c in result["crossings"]}
    for kind, some in (
        ("kernels", [r for r in lines if r["group"] != "steps"]),
        ("steps", [r for r in lines if r["group"] == "steps"]),
    ):
        if some:
            curves(some, at, title, folder / f"devices-{kind}.png")
    roofs = {}
    for device, known in result["ceilings"].items():
        place = "CPU" if device == "cpu" else name
        roofs[place] = known["product"], known["memory"]
        if "product, TF32" in known:
            roofs[f"{place}, TF32"] = known["product, TF32"], known["memory"]
    if rows:
        some = [r for r in rows if r["mode"] == "eager" and r["series"] in roofs and r["group"] not in ("overhead", "steps")]
        roofline(some, roofs, title, folder / "devices-roofline.png")  # without steps, whose bytes are not all counted
