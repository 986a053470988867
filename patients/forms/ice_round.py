"""The form of a round: ICE or CAPD, how awake, a seizure, weakness and signs of pressure.

One save records all of it as one act. What is not entered is not charted.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

from crispy_forms.helper import FormHelper

from grading.engine.scale_vocabulary import ICE_PARTS, NeuroSignName
from grading.engine.sentences import inside_a_sentence
from grading.engine.vocabulary import AT_MOST_AHEAD, Attribution
from patients.display.ice_due import CAPD, ICE
from patients.display.ice_questions import PARTS, QUESTIONS, Question
from patients.display.text import clock_text
from patients.forms.attribution import ATTRIBUTION, NOTE
from patients.forms.entry_form import EntryForm
from patients.forms.fields import NO, YES, without_empty
from patients.forms.layout import EntryHead, IceRound, form_helper
from patients.forms.round_fields import (
    ASKED,
    CAUSE,
    CAUSE_REASON,
    EXAMINED,
    NO_SEIZURE,
    REASON_LENGTH,
    RIGHT,
    SCANNED,
    SIGN,
    THINGS,
    RoundFields,
)
from patients.models import REASON, EntryKind
from patients.queries.attributions import AttributionProposal
from patients.queries.last_round import HANDWRITING

AROUND_A_BLEEDING: Final = "swelling around a bleeding"
_ABOUT_A_SEIZURE: Final = (
    "seizure_minutes",
    "seizure_date",
    "seizure_time",
    "seizure_stopped",
    "seizure_repeated",
)
_JOINT: Final = "; "
_LONG_AGO: Final = timedelta(hours=24)
_OTHER_TOOL: Final = {ICE: "CAPD", CAPD: "ICE"}


class AskedPart(NamedTuple):
    """A part of ICE with its questions."""

    name: str
    label: str
    also: str
    questions: tuple[Question, ...]


class IceRoundForm(RoundFields, EntryForm):
    """A round of ICE, or of CAPD for a child, with what else ICANS asks.

    ``tool`` says which of the two the form offered. The entry of a seizure has the time at which it
    began, all others that of the round.
    """

    kind = EntryKind.ICE
    has_attribution = False
    is_renewed = True
    leads_back = True

    def __init__(self, *args: Any, **options: Any) -> None:
        self.seizure_at: datetime | None = None
        super().__init__(*args, **options)
        self.round = self.proposed.round
        if self.round is not None:
            self.initial.setdefault("tool", self.round.asks_by or self.round.tool)

    @cached_property
    def helper(self) -> FormHelper:
        """How the form is rendered: a round has its own time, note and save button."""
        return form_helper(EntryHead(), IceRound())

    @property
    def save_label(self) -> str:
        return "Save round"

    @property
    def shown_tool(self) -> str:
        """The tool that the form asks by."""
        return CAPD if self["tool"].value() == CAPD else ICE

    @property
    def parts_of_ice(self) -> list[AskedPart]:
        """The parts of ICE with their questions, as the page shows them."""
        return [
            AskedPart(*part, tuple(one for one in QUESTIONS if one.part == part.name))
            for part in PARTS
        ]

    @property
    def other_tool(self) -> str:
        """The name of the tool that the form does not ask by."""
        return _OTHER_TOOL[self.shown_tool]

    @classmethod
    def proposals_among(
        cls, proposed: Mapping[str, AttributionProposal]
    ) -> dict[str, AttributionProposal]:
        """Return the causes that stand in an empty form: of what lasts, not of a seizure."""
        lasting = (EntryKind.ICE, EntryKind.CAPD, EntryKind.CONSCIOUSNESS)
        return {CAUSE + thing: proposed[thing] for thing in lasting if thing in proposed}

    @classmethod
    def proposed_attribution(cls, proposed: Mapping[str, AttributionProposal]) -> dict[str, Any]:
        values: dict[str, Any] = {}
        for name, proposal in cls.proposals_among(proposed).items():
            values[name] = proposal.attribution.value
            thing = name.removeprefix(CAUSE)
            values[CAUSE_REASON + thing] = _own_reason(thing, proposal.reason)
        return values

    def kind_of(self, index: int) -> EntryKind:
        return self._kind_of_body(self.bodies[index])

    def time_of(self, index: int) -> datetime | None:
        is_seizure = self.kind_of(index) is EntryKind.SEIZURE
        return self.seizure_at if is_seizure else self.observed_at

    def _kind_of_body(self, body: Mapping[str, Any]) -> EntryKind:
        if "level" in body:
            return EntryKind.CONSCIOUSNESS
        if "seizure_type" in body:
            return EntryKind.SEIZURE
        if "sign" in body:
            return EntryKind.NEURO_SIGN
        return EntryKind(self.cleaned_data.get("tool") or ICE)

    def field_of(self, index: int, place: str) -> str:
        kind = self.kind_of(index)
        if kind is EntryKind.SEIZURE:
            at = "seizure_time" if self.cleaned_data.get("seizure_time") else "observed_time"
            return {"duration_minutes": "seizure_minutes", "at": at}.get(place, "seizure_type")
        if place == "at":
            return "observed_time"
        if kind is EntryKind.NEURO_SIGN:
            return SIGN + str(self.bodies[index]["sign"])
        return {EntryKind.CONSCIOUSNESS: "level", EntryKind.CAPD: "capd_score"}.get(
            kind, "not_done"
        )

    def build_bodies(self) -> list[dict[str, Any]]:
        self._clean_seizure()
        bodies = [*self._assessment(), *self._consciousness(), *self._seizure(), *self._signs()]
        if bodies and self.cleaned_data.get(NOTE):
            first = bodies[0]
            bodies[0] = first | {NOTE: "\n".join(filter(None, (first.get(NOTE), self._note())))}
        return bodies

    def _note(self) -> str:
        return str(self.cleaned_data.get(NOTE) or "")

    def _common_values(self, body: Mapping[str, Any]) -> dict[str, Any]:
        return without_empty({ATTRIBUTION: self.attribution_of(body)})

    def _assessment(self) -> list[dict[str, Any]]:
        """Return the entry of ICE or CAPD, or why it was not done; nothing for neither."""
        reason = self.cleaned_data.get("not_done")
        if reason:
            return [{"performed": False, "reason": reason}]
        if self.cleaned_data.get("tool") == CAPD:
            score = self.cleaned_data.get("capd_score")
            return [{"score": score}] if score else []
        points = {
            part.name: str(sum(answer == RIGHT for answer in answers))
            for part in PARTS
            if all(answers := self._answers_of(part.name))
        }
        written = self.cleaned_data.get("handwriting")
        note = {NOTE: HANDWRITING + written} if written else {}
        return [points | note] if points else []

    def _answers_of(self, part: str) -> list[str]:
        """Return the answer to each question of a part, "" for one that was not asked."""
        return [
            self.cleaned_data.get(ASKED + question.name) or ""
            for question in QUESTIONS
            if question.part == part
        ]

    def _half_asked(self) -> list[str]:
        """Return the parts that were asked in part, in words: they are not charted."""
        found = []
        for part in PARTS:
            asked = sum(bool(answer) for answer in self._answers_of(part.name))
            if 0 < asked < ICE_PARTS[part.name]:
                name = inside_a_sentence(part.label)
                found.append(f"{name} ({asked} of {ICE_PARTS[part.name]} asked)")
        return found

    def _consciousness(self) -> list[dict[str, Any]]:
        level = self.cleaned_data.get("level")
        return [{"level": level}] if level else []

    def _seizure(self) -> list[dict[str, Any]]:
        kind = self.cleaned_data.get("seizure_type")
        if not kind or kind == NO_SEIZURE:
            return []
        body = {"seizure_type": kind, "duration_minutes": self.cleaned_data.get("seizure_minutes")}
        if stopped := self.cleaned_data.get("seizure_stopped"):
            body["resolved"] = stopped == YES
        if self.cleaned_data.get("seizure_repeated"):
            body["repetitive_without_recovery"] = True
        return [without_empty(body)]

    def _signs(self) -> list[dict[str, Any]]:
        bodies: list[dict[str, Any]] = []
        for signs, none in ((EXAMINED, "signs_none"), (SCANNED, "scan_none")):
            for sign in signs:
                answer = self.cleaned_data.get(SIGN + sign)
                if answer or self.cleaned_data.get(none):
                    bodies.append({"sign": sign.value, "present": answer == YES})
        if self.cleaned_data.get("bleeding"):
            swelling = {"sign": NeuroSignName.FOCAL_EDEMA.value, "present": True}
            bodies.append(swelling | {ATTRIBUTION: Attribution.OTHER.value})
        return bodies

    def _clean_seizure(self) -> None:
        """Find when the seizure began: at the time of the round where none is typed."""
        typed = self.cleaned_data.get("seizure_time") or self.cleaned_data.get("seizure_date")
        self.seizure_at = self.observed_at
        if not typed:
            return
        began = self.clean_local_time("seizure", now=self.now, ahead=AT_MOST_AHEAD)
        if began is None or self.observed_at is None:
            return
        self.seizure_at = began
        if began < self.course.infused_at:
            infused = clock_text(self.course.infused_at, self.now)
            self.add_error("seizure_time", f"This is before the infusion ({infused}).")
        elif began > self.observed_at:
            self.add_error("seizure_time", "This is after the time of the round.")
        elif self.observed_at - began > _LONG_AGO:
            began_at = clock_text(began, self.now)
            self.ask("seizure_time", f"This seizure began more than 24 h before: {began_at}.")

    def clean_kind(self) -> None:
        self._check_assessment()
        self._check_seizure()
        self._check_signs()
        if not self.bodies and not self.errors:
            self.add_error(None, self._nothing())
        self._remark()

    def _nothing(self) -> str:
        half = self._half_asked()
        if half:
            return f"No part was asked in full: {', '.join(half)}. Ask the rest, or say why not."
        return "Nothing is entered yet."

    def _check_assessment(self) -> None:
        reason, tool = self.cleaned_data.get("not_done"), self.cleaned_data.get("tool")
        asked = any(self.cleaned_data.get(ASKED + question.name) for question in QUESTIONS)
        has_points = asked if tool == ICE else bool(self.cleaned_data.get("capd_score"))
        if reason and has_points:
            both = "There are answers too: clear either them or this reason."
            sum_too = "There is a sum too: clear either it or this reason."
            self.add_error("not_done", both if tool == ICE else sum_too)
        if tool == ICE and self.cleaned_data.get("capd_score"):
            self.add_error("capd_score", "This round is one of ICE: a CAPD sum does not fit.")
        if tool == CAPD and asked:
            self.add_error(None, "This round is one of CAPD: answers to ICE do not fit.")
        written = self.cleaned_data.get("handwriting")
        if written and not all(self._answers_of("writing")):
            self.add_error("handwriting", "Say whether the sentence was right or wrong too.")

    def _check_seizure(self) -> None:
        kind = self.cleaned_data.get("seizure_type")
        if (not kind or kind == NO_SEIZURE) and any(
            self.cleaned_data.get(name) for name in _ABOUT_A_SEIZURE
        ):
            self.add_error(
                "seizure_type", "Choose the kind of seizure, or clear what is entered about it."
            )
        stopped = self.cleaned_data.get("seizure_stopped")
        if stopped == NO and self.cleaned_data.get("seizure_minutes"):
            self.remarks.append(
                "The seizure has not stopped: correct the entry once it has, with its duration."
            )

    def _check_signs(self) -> None:
        for signs, none in ((EXAMINED, "signs_none"), (SCANNED, "scan_none")):
            present = any(self.cleaned_data.get(SIGN + sign) == YES for sign in signs)
            if none == "scan_none" and self.cleaned_data.get("bleeding"):
                present = True
            if present and self.cleaned_data.get(none):
                self.add_error(none, "One is tapped as present: clear it, or clear this.")
        focal = self.cleaned_data.get(SIGN + NeuroSignName.FOCAL_EDEMA)
        if focal and self.cleaned_data.get("bleeding"):
            self.add_error("bleeding", "Choose one: in one place, or around a bleeding.")

    def _remark(self) -> None:
        half = [] if self.cleaned_data.get("not_done") else self._half_asked()
        if half:
            self.remarks.append(f"Not asked in full and so not saved: {', '.join(half)}.")
        tool, round_ = self.cleaned_data.get("tool"), self.proposed.round
        if round_ is not None and tool and tool != round_.tool and self._assessment():
            name = THINGS[round_.tool]
            self.remarks.append(f"Shown, not counted for ICANS: this patient uses {name}.")

    def causes_of(self, body: Mapping[str, Any]) -> dict[str, Attribution]:
        thing = self._kind_of_body(body).value
        return {thing: Attribution(self.cleaned_data.get(CAUSE + thing) or Attribution.CRS)}

    def attribution_of(self, body: Mapping[str, Any]) -> str | None:
        (cause,) = self.causes_of(body).values()
        is_crs = cause is Attribution.CRS
        own: str | None = body.get(ATTRIBUTION)
        return own or (None if is_crs else cause.value)

    def check_attribution(self) -> None:
        """Require a reason for each thing that is not plainly due to CRS; join them for the act."""
        reasons: dict[str, str] = {}
        for body in self.bodies:
            ((thing, cause),) = self.causes_of(body).items()
            if ATTRIBUTION in body:
                reasons["scan"] = AROUND_A_BLEEDING
            elif cause is not Attribution.CRS:
                reasons[thing] = self.cleaned_data.get(CAUSE_REASON + thing) or ""
        for thing, reason in reasons.items():
            name = CAUSE_REASON + thing
            if not reason and name not in self.errors:
                self.add_error(name, "Say what else it is due to, or why it is uncertain.")
        texts = list(dict.fromkeys(filter(None, reasons.values())))
        if len(texts) > 1:
            texts = [f"{THINGS.get(thing, 'Scan')}: {text}" for thing, text in reasons.items()]
        self.cleaned_data[REASON] = _JOINT.join(texts)


def _own_reason(thing: str, reason: str) -> str:
    """Return the reason of one thing among those that ``check_attribution`` joined."""
    prefix = f"{THINGS[thing]}: "
    own = (part for part in reason.split(_JOINT) if part.startswith(prefix))
    return next(own, reason).removeprefix(prefix)[:REASON_LENGTH]
