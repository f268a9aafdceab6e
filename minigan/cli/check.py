"""The verb gradcheck: check the gradient rules."""

import sys


def add(verbs) -> None:
    """Add the verb of this file to the parser."""
    from minigan.cli.train import whole

    verb = verbs.add_parser(
        "gradcheck",
        help="check gradient rules against finite differences",
        allow_abbrev=False,
        description="Compare the gradient rules of the ops with finite differences, in float64.",
    )
    verb.add_argument("ops", nargs="*", metavar="OP", help="ops to check (default: all of them, which takes about a minute)")
    verb.add_argument("--order", type=whole(1), default=2, metavar="N", help="highest derivative to check (default: 2)")
    verb.add_argument("--seed", type=whole(0), default=0, metavar="N", help="seed of the random inputs (default: 0)")
    verb.add_argument("--json", action="store_true", help="print the results as JSON")
    verb.set_defaults(run=_gradcheck)


def _gradcheck(options):
    import json

    from minigan import optable
    from minigan.errors import ConfigError

    if options.order > 4:
        raise ConfigError(f"--order {options.order} is too high: float64 differences can check orders 1 to 4; use one of them")
    names = options.ops or sorted(optable.TABLE)
    for name in names:
        optable.entry(name)  # raises for an unknown name before the first check runs
    results = []
    for name in names:
        results.append(optable.check_op(name, options.order, options.seed))
        if len(names) > 5 and sys.stderr.isatty():
            print(f"\r{len(results)}/{len(names)} {name:<40}", end="", file=sys.stderr, flush=True)
    if len(names) > 5 and sys.stderr.isatty():
        print("\r" + " " * 60 + "\r", end="", file=sys.stderr)
    if options.json:
        rows = [{**vars(r), "error": None if r.failure else r.error} for r in results]
        print(json.dumps(rows, indent=2))
    else:
        print(optable.table(results))
        wrong = [r.op for r in results if r.failure]
        print(
            f"{len(results)} ops, "
            + (f"WRONG: {', '.join(wrong)}" if wrong else f"worst relative error {max(r.error for r in results):.1e}")
        )
    return 1 if any(r.failure for r in results) else 0
