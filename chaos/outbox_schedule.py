"""One schedule of faults at one tablet: cut, kill, reload, restore, and what must be true after it.

Each entry that was saved is recorded exactly once, or shown as unsent.
"""

from __future__ import annotations

import random
import re
import uuid
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from playwright.sync_api import BrowserContext, Page, expect
from playwright.sync_api import Error as PlaywrightError

from chaos.network import Mode, Network
from chaos.restored import Snapshot
from patients.models import Entry

STEPS: Final = (
    *("save",) * 5,
    "cut",
    "deaf",
    "open",
    "reload",
    "kill",
    "late kill",
    "restore",
    "correct",
)
_SOON_MS: Final = 20_000
_NOT_REACHED_MS: Final = 5_000
_LOOK_MS: Final = 20
_RATE: Final = "#entry-form [name=heart_rate]"
_REASON: Final = "#entry-form [name=reason]"
_FIRST_RATE: Final = 60
_LAST_RATE: Final = 140
"""Heart rates that no form asks about; a course has each once."""
_HALF: Final = 0.5
_STORED: Final = "indexeddb,local_storage"
_ASKED: Final = "crs-outbox-asked:"
_HAS_ASKED: Final = f"() => Object.keys(localStorage).some((name) => name.startsWith('{_ASKED}'))"
_HAS_CONFIRMED: Final = """async () => {
    if (!localStorage.getItem("crs-outbox-in-use")) return false;
    const open = indexedDB.open("crs-outbox");
    await new Promise((done) => { open.onsuccess = done; });
    const all = open.result.transaction("entries").objectStore("entries").getAll();
    await new Promise((done) => { all.onsuccess = done; });
    open.result.close();
    return all.result.some(({ state }) => state === "sent");
}"""
"""The tablet has entries that the server confirmed: it will ask for them."""
_ASK_AGAIN: Final = (
    f"for (const name of Object.keys(localStorage)) if (name.startsWith('{_ASKED}'))"
    " localStorage.removeItem(name)"
)
_ANSWERED: Final = "document.body.dispatchEvent(new Event('crs:answered'))"
_RUNS: Final = "() => !document.querySelector('[data-theme-toggle]').hidden"
"""The scripts of the page have run: what is unsent is shown."""
_TYPE_AND_SAVE: Final = """([selector, value]) => {
    const field = document.querySelector(selector);
    field.value = value;
    field.dispatchEvent(new Event("input", { bubbles: true }));
    document.getElementById("save").click();
}"""
_IS_AT_REST: Final = """() => {
    const message = document.getElementById("entry-message");
    const save = document.getElementById("save");
    return message?.textContent && (!save || /^Save( correction)?$/.test(save.textContent));
}"""
_USED_BEFORE: Final = "#entry-message:has-text('already saved this form')"
_HR_ROW: Final = "#timeline-rows li:has-text('HR ') a[href$='/correct/']"
_FORM_OR_WHY_NOT: Final = f"{_REASON}, [data-needs-connection]"


@dataclass
class Tablet:
    """A browser whose only way to the server is ``network``.

    ``as_owner`` runs a function with the rights that a restore needs; ``admit`` admits a patient.
    Schedules follow each other on one page and one course, as the hours of a day do, until one
    leaves something unsent or every heart rate was used: ``course_id`` None is for a new course.
    ``saved`` are the heart rates that were saved on it, ``next_rate`` is the one to save next.
    """

    context: BrowserContext
    network: Network
    as_owner: Callable[[Callable[[], object]], object]
    admit: Callable[[], uuid.UUID]
    course_id: uuid.UUID | None = None
    saved: list[int] = field(default_factory=list)
    next_rate: int = _FIRST_RATE
    page: Page = field(init=False)

    def __post_init__(self) -> None:
        self.page = self.context.new_page()

    @property
    def origin(self) -> str:
        return f"http://localhost:{self.network.port}"


@dataclass
class Played:
    """What was done in a schedule, and every entry that was lost or doubled."""

    seed: int
    steps: list[str] = field(default_factory=list)
    saved: list[int] = field(default_factory=list)
    unsent: int = 0
    faults: list[str] = field(default_factory=list)


def play(tablet: Tablet, seed: int) -> Played:
    """Play the schedule of ``seed``; return what became of its entries."""
    if tablet.course_id is None:
        tablet.course_id, tablet.saved, tablet.next_rate = tablet.admit(), [], _FIRST_RATE
    return _Player(tablet, tablet.course_id, seed).play()


class _Player:
    def __init__(self, tablet: Tablet, course_id: uuid.UUID, seed: int) -> None:
        self._tablet, self._course_id = tablet, course_id
        self._random = random.Random(seed)
        self._played = Played(seed)
        self._mode = Mode.OPEN
        self._address = f"{tablet.origin}/courses/{course_id}/"
        self._snapshot: Snapshot | None = None
        self._may_ask = False

    @property
    def _page(self) -> Page:
        return self._tablet.page

    def play(self) -> Played:
        if not self._tablet.saved:
            self._open()
        self._take_snapshot()
        for _ in range(self._random.randint(3, 6)):
            step = self._random.choice(STEPS)
            self._played.steps.append(step)
            _ACTS[step](self)
        self._end()
        return self._played

    def _open(self) -> None:
        """Load the chart; without the network the browser shows the shell."""
        within = _SOON_MS if self._mode is Mode.OPEN else _NOT_REACHED_MS
        with suppress(PlaywrightError):
            self._page.goto(self._address, wait_until="domcontentloaded", timeout=within)

    def _can_save(self) -> bool:
        with suppress(PlaywrightError):
            return self._page.locator(_RATE).count() == 1
        return False

    def _press_save(self) -> None:
        value = self._tablet.next_rate
        self._tablet.next_rate += 1
        self._played.saved.append(value)
        self._tablet.saved.append(value)
        self._page.evaluate(_TYPE_AND_SAVE, [_RATE, str(value)])

    def _save(self) -> None:
        """Save a set; where the form was stored before the tablet died, press Save again."""
        if not self._can_save():
            return
        self._press_save_and_wait()
        if self._page.locator(_USED_BEFORE).count():
            self._page.locator("#save").click()
            self._wait_until_at_rest()

    def _press_save_and_wait(self) -> None:
        self._press_save()
        self._wait_until_at_rest()

    def _wait_until_at_rest(self) -> None:
        with suppress(PlaywrightError):  # a busy machine: the next step comes while it is under way
            self._page.wait_for_function(_IS_AT_REST, timeout=_SOON_MS, polling=_LOOK_MS)

    def _correct(self) -> None:
        """Correct the newest set; half of the time the network is cut before it is saved."""
        rows = self._page.locator(_HR_ROW)
        if self._mode is not Mode.OPEN or not self._can_save() or not rows.count():
            return
        rows.first.dispatch_event("click")
        with suppress(PlaywrightError):
            self._page.locator(_FORM_OR_WHY_NOT).first.wait_for(timeout=_SOON_MS)
        if not self._page.locator(_REASON).count():
            return
        self._page.locator(_REASON).fill("misread")
        if self._random.random() < _HALF:
            self._cut()
        self._press_save_and_wait()
        message = self._page.locator("#entry-message")
        if self._page.locator(_REASON).count() and "Not saved" in (message.text_content() or ""):
            # The row was older than the chart: the form says so, and nothing was saved.
            self._played.saved.pop()
            self._tablet.saved.pop()
            self._open()

    def _late_kill(self) -> None:
        """The tablet dies while a save is on its way, some hundredths of a second after the tap."""
        if not self._can_save():
            return
        self._press_save()
        self._page.wait_for_timeout(self._random.choice((0, 5, 20, 60)))
        self._kill()

    def _kill(self) -> None:
        with suppress(PlaywrightError):
            self._page.goto("chrome://kill", timeout=_SOON_MS)
        with suppress(PlaywrightError):
            self._page.close()
        self._tablet.page = self._tablet.context.new_page()
        self._open()

    def _reload(self) -> None:
        self._open()

    def _cut(self) -> None:
        self._become(Mode.CUT)

    def _deaf(self) -> None:
        self._become(Mode.DEAF)

    def _open_network(self) -> None:
        self._become(Mode.OPEN)
        with suppress(PlaywrightError):
            self._page.evaluate("dispatchEvent(new Event('online'))")

    def _become(self, mode: Mode) -> None:
        self._mode = mode
        self._tablet.network.become(mode)

    def _take_snapshot(self) -> None:
        def take() -> None:
            self._snapshot = Snapshot.of(self._course_id)

        self._tablet.as_owner(take)

    def _restore(self) -> None:
        """Put the course back to its beginning; a server is restored while nobody is connected.

        The page stays open, and asks with the first answer what the server still knows.
        """
        self._become(Mode.CUT)
        self._page.wait_for_timeout(150)  # what is under way in the server ends
        self._may_ask = bool(self._tablet.saved)
        with suppress(PlaywrightError):  # no page of the site is open
            self._may_ask = self._page.evaluate(_HAS_CONFIRMED)
        if self._snapshot is not None:
            self._tablet.as_owner(self._snapshot.restore)
        with suppress(PlaywrightError):
            self._page.evaluate(f"() => {{ {_ASK_AGAIN} }}")
        self._open_network()
        with suppress(PlaywrightError):
            self._page.evaluate(_ANSWERED)

    def _end(self) -> None:
        """Let the tablet reach the server, look at what it shows, and compare with the chart."""
        self._open_network()
        page = self._page
        if not self._can_save():
            self._open()
        expect(page.locator(_RATE)).to_have_count(1, timeout=_SOON_MS)
        page.wait_for_function(_RUNS, timeout=_SOON_MS, polling=_LOOK_MS)
        if self._may_ask:
            with suppress(PlaywrightError):
                page.evaluate(_ANSWERED)
                page.wait_for_function(_HAS_ASKED, timeout=_SOON_MS, polling=_LOOK_MS)
        with suppress(AssertionError):
            expect(page.locator("#outbox")).to_be_hidden(timeout=_SOON_MS)
        shown = page.locator("#outbox").text_content() or ""
        typed = page.locator(_RATE).input_value()
        rates = Entry.objects.filter(course_id=self._course_id, kind="vitals")
        recorded = Counter(int(entry.body["heart_rate"]) for entry in rates)
        for value in self._tablet.saved:
            times = recorded.pop(value, 0)
            is_shown = bool(re.search(rf"Heart rate {value}\b", shown)) or typed == str(value)
            self._played.unsent += times == 0 and is_shown
            if times != 1 and not (times == 0 and is_shown):
                self._played.faults.append(f"heart rate {value} is recorded {times} times")
        self._played.faults += [f"heart rate {value} was never saved" for value in recorded]
        if shown or typed or self._tablet.next_rate > _LAST_RATE:
            self._leave()

    def _leave(self) -> None:
        """Leave the course with nothing stored on the tablet."""
        self._tablet.course_id, self._tablet.saved = None, []
        self._page.goto("about:blank")
        session = self._tablet.context.new_cdp_session(self._page)
        storage = {"origin": self._tablet.origin, "storageTypes": _STORED}
        session.send("Storage.clearDataForOrigin", storage)


_ACTS: Final[dict[str, Callable[[_Player], None]]] = {
    "save": _Player._save,
    "cut": _Player._cut,
    "deaf": _Player._deaf,
    "open": _Player._open_network,
    "reload": _Player._reload,
    "kill": _Player._kill,
    "late kill": _Player._late_kill,
    "restore": _Player._restore,
    "correct": _Player._correct,
}
