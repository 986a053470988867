"""One run: nurses at work, kills by the plan, and the history compared with the database."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from threading import Event
from typing import Final

from chaos.checkout import SOURCE
from chaos.history import Fault, FaultKind, History, figures_of, find_faults
from chaos.nurses import Ledger, Nurse, charts_of, sign_in_all
from chaos.pages import find_faults_of_pages
from chaos.plan import Kill, Step, steps
from chaos.site import ChaosError, Site
from chaos.stored import read_stored
from chaos.ward import Ward

Say = Callable[[str], None]
Do = Callable[[Step, Site], bool]
_LOOKS_EVERY_S: Final = 0.2
_SHOWN_FAULTS: Final = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """How long nurses work, and how often something is killed.

    The run ends after ``seconds``, or before, as soon as ``saves`` are acknowledged and ``kills``
    steps of the plan are done.
    """

    seed: int
    seconds: float = math.inf
    saves: float = math.inf
    kills: int = 0
    every_s: float = 5.0
    tablets: int = 12

    @property
    def nurses(self) -> int:
        """Half as many as tablets: each nurse works at two."""
        return max(1, self.tablets // 2)

    def is_done(self, saves: int, kills: int) -> bool:
        return saves >= self.saves and kills >= self.kills


@dataclass
class Report:
    """What a run found: figures by name, and a sentence for each fault."""

    figures: dict[str, object] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def lines(self) -> list[str]:
        """Return the report as it is printed."""
        shown = self.faults[:_SHOWN_FAULTS]
        if more := len(self.faults) - len(shown):
            shown.append(f"and {more} more")
        return [*(f"{name}: {value}" for name, value in self.figures.items()), *shown]


def run(
    site: Site, ward: Ward, load: Load, weights: Mapping[Kill, int], do: Do, say: Say
) -> Report:
    """Let nurses save on ``ward`` while the plan of ``load`` is done to ``site``; compare.

    A site that does not come back after a step ends the run, and is a fault of the report.
    """
    before = read_stored(site.database, list(ward.courses))
    ledger, over, kills, stopped = Ledger(), Event(), Counter[Kill](), ""
    charts = charts_of(ward.courses, ward.infused_at)
    nurses = [
        Nurse(ward.nurses[number % len(ward.nurses)], number, site.port, charts, ledger,
              load.seed, over)
        for number in range(load.tablets)
    ]  # fmt: skip
    sign_in_all(nurses)
    begun = time.monotonic()
    with site.supervised():
        try:
            for nurse in nurses:
                nurse.start()
            _do_plan(site, load, steps(load.seed, weights, load.every_s), do, ledger, kills, say)
            site.wait_until_ready()
        except ChaosError as error:
            stopped = str(error)
        finally:
            over.set()
        for nurse in nurses:
            nurse.join()
    seconds = time.monotonic() - begun
    stored = read_stored(site.database, list(ward.courses))
    history = History(ledger.sent, stored, ledger.reads, frozenset(act.form_id for act in before))
    report = _report(history, ledger, kills, seconds, site)
    report.faults += [stopped] if stopped else []
    _verify(site, report)
    if report.faults:
        say(f"The history is kept in {_keep(history, load.seed)}")
    return report


def _do_plan(
    site: Site,
    load: Load,
    plan: Iterable[Step],
    do: Do,
    ledger: Ledger,
    done: Counter[Kill],
    say: Say,
) -> None:
    """Do the steps of ``plan`` until the run is over, and count in ``done`` those that were done.

    :raises ChaosError: where the site does not come back after a step.
    """
    last = time.monotonic() + load.seconds
    for number, step in enumerate(plan):
        until = min(time.monotonic() + step.after_s, last)
        while time.monotonic() < until and not load.is_done(ledger.acknowledged, number):
            time.sleep(_LOOKS_EVERY_S)
        if time.monotonic() >= last or load.is_done(ledger.acknowledged, number):
            break
        was_done = do(step, site)
        if not was_done:  # the site still recovers from the step before
            site.wait_until_ready()
            was_done = do(step, site)
        done[step.kill] += was_done
        say(f"{step}: {'done' if was_done else 'nothing was there'}"
            f"; {ledger.acknowledged} saves acknowledged")  # fmt: skip
        # Half of the kills come while the site still recovers from the one before.
        if step.pick < 0.5:
            site.wait_until_ready()


def _report(
    history: History, ledger: Ledger, kills: Counter[Kill], seconds: float, site: Site
) -> Report:
    faults = [*find_faults(history), *find_faults_of_pages(history)]
    figures: dict[str, object] = dict(figures_of(history))
    figures["kills"] = sum(kills.values())
    figures |= {f"  {kill.value}": number for kill, number in sorted(kills.items())}
    by_kind = Counter(fault.kind for fault in faults)
    figures |= {kind.value: by_kind[kind] for kind in FaultKind}
    figures["other unexpected answers"] = len(ledger.unexpected)
    figures["web server ended by itself"] = site.ended_by_itself
    figures["stacks in the log"] = site.log.read_bytes().count(b"Traceback (most recent call last)")
    figures["seconds"] = round(seconds)
    acknowledged = sum(form.is_acknowledged for form in history.sent)
    figures["saves a second"] = round(acknowledged / seconds, 1)
    sentences = [_sentence(fault) for fault in faults] + ledger.unexpected
    if site.ended_by_itself:
        sentences.append(f"the web server ended by itself {site.ended_by_itself} times")
    return Report(figures, sentences)


def _sentence(fault: Fault) -> str:
    return f"{fault.kind.value}: {fault.sentence}"


def _verify(site: Site, report: Report) -> None:
    """Add what ``verify_site`` says: every stored grade, and the whole record."""
    begun = time.monotonic()
    try:
        report.figures["verified"] = site.verify()
    except ChaosError as error:
        report.figures["verified"] = "differs"
        report.faults.append(str(error))
    report.figures["seconds to verify"] = round(time.monotonic() - begun)


def _keep(history: History, seed: int) -> Path:
    """Write the history into var/chaos, to be looked at; return the file."""
    folder = SOURCE / "var" / "chaos"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"history-{seed}.json"
    parts = {
        name: [asdict(one) for one in getattr(history, name)]
        for name in ("sent", "stored", "reads")
    }
    file.write_text(json.dumps(parts, default=str), "utf-8")
    return file
