"""Command line: ``python -m chaos [saves | standby | outbox]``; ``make chaos`` runs it."""

from __future__ import annotations

import argparse
import importlib
import math
import os
import signal
import sys
from collections.abc import Sequence
from typing import Final

from chaos.run import Load, Report
from chaos.site import ChaosError

PARTS: Final = ("saves", "standby", "outbox")
_SECONDS: Final = 60
_AT_MOST_S: Final = 4 * 3600
"""How long a run with a number of saves may last, where no time was named."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Do a run and print its figures; return 1 where it found a fault."""
    options = _parser().parse_args(arguments)
    if options.part == "outbox":
        outbox = importlib.import_module("chaos.outbox")
        return int(outbox.run(options.schedules, options.seed) or 0)
    seconds = options.seconds or (_AT_MOST_S if options.saves else _SECONDS)
    load = Load(
        seed=options.seed,
        seconds=seconds,
        saves=options.saves or math.inf,
        kills=options.kills,
        every_s=options.every,
        tablets=options.tablets,
    )
    _say(f"PART={options.part}, seed {load.seed}: the same seed kills in the same order again")
    # Ended by SIGTERM, it ends its servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        report = _prove(options.part, load)
    except ChaosError as error:
        _say(str(error))
        return 1
    for line in report.lines():
        _say(line)
    _say(f"{len(report.faults)} faults")
    return 1 if report.faults else 0


def _prove(part: str, load: Load) -> Report:
    if part == "standby":
        from chaos import two_machines

        return two_machines.prove(load, _say)
    from chaos import one_machine

    return one_machine.prove(load, _say)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chaos",
        description="Save from many tablets while processes are killed, and compare what was "
        "acknowledged with what is stored.",
    )
    add = parser.add_argument
    add("part", nargs="?", choices=PARTS, default="saves", help="default: %(default)s")
    add(
        "--seconds",
        type=float,
        default=_number("CHAOS_SECONDS"),
        help=f"how long nurses work (CHAOS_SECONDS; default: {_SECONDS}, or until --saves)",
    )
    add(
        "--saves",
        type=float,
        default=_number("CHAOS_SAVES"),
        help="end as soon as so many saves are acknowledged (CHAOS_SAVES)",
    )
    add(
        "--kills",
        type=int,
        default=int(_number("CHAOS_KILLS") or 0),
        help="of a run that ends by --saves: how many kills at least (CHAOS_KILLS)",
    )
    add(
        "--seed",
        type=int,
        default=int(_number("CHAOS_SEED") or 1),
        help="chooses what is killed, and when (CHAOS_SEED; default: %(default)s)",
    )
    add(
        "--every",
        type=float,
        default=_number("CHAOS_EVERY") or 5.0,
        help="mean of the seconds between two kills (CHAOS_EVERY; default: %(default)s)",
    )
    add("--tablets", type=int, default=12, help="default: %(default)s")
    add("--schedules", type=int, default=int(_number("CHAOS_SCHEDULES") or 1000),
        help="of PART=outbox: how many (CHAOS_SCHEDULES; default: %(default)s)")  # fmt: skip
    return parser


def _number(name: str) -> float | None:
    text = os.environ.get(name, "")
    try:
        return float(text) if text else None
    except ValueError:
        raise SystemExit(f"{name} is not a number: {text}") from None


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
