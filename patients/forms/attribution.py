"""Fields for the attribution of what is charted: CRS, other or uncertain."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from typing import Any, ClassVar, Final

from django import forms

from grading.engine.vocabulary import Attribution
from patients.forms.base import BedsideForm
from patients.forms.fields import FlatSelect, choices_of, set_error_messages
from patients.models import REASON, EntryKind
from patients.queries.attributions import AttributionProposal

ATTRIBUTION: Final = "attribution"
NOTE: Final = "note"
_SAME_AS_WHOLE: Final = "same as above"


def attribution_field_name(part: str) -> str:
    """Return the name of the field for the attribution of one part of a form."""
    return f"{ATTRIBUTION}_{part}"


def attribution_fields(parts: Iterable[tuple[str, str]]) -> dict[str, forms.Field]:
    """Return a field for the attribution of each part, a pair of key and label."""
    return {
        attribution_field_name(key): forms.ChoiceField(
            label=f"{label} due to",
            choices=choices_of(Attribution, _SAME_AS_WHOLE),
            required=False,
            widget=FlatSelect,
        )
        for key, label in parts
    }


def attribution_by_part(
    whole: Attribution, typed: Mapping[str, Any], charted: Iterable[str]
) -> dict[str, Attribution]:
    """Return the attribution of each charted part: its own, else that of the whole."""
    return {
        part: Attribution(own) if (own := typed.get(attribution_field_name(part))) else whole
        for part in charted
    }


class AttributionFields(BedsideForm):
    """Fields for the cause of what is charted, and the reason where that is not plainly CRS.

    A kind that has no cause, like a weight, sets ``has_attribution`` to False. ``parts`` can have
    a cause of their own, as pairs of key and label. Their fields are many and seldom used: a form
    has those alone that are filled in, until a page asks for ``part_attributions``.
    """

    kind: ClassVar[EntryKind]
    has_attribution: ClassVar[bool] = True
    parts: ClassVar[Sequence[tuple[str, str]]] = ()
    _part_fields: ClassVar[dict[str, forms.Field]] = {}

    attribution = forms.ChoiceField(
        label="Due to", choices=choices_of(Attribution), initial=Attribution.CRS.value
    )
    attribution_reason = forms.CharField(
        label="Reason (other cause, or why uncertain)", required=False, max_length=300
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        if not self.has_attribution:
            del self.fields[ATTRIBUTION], self.fields[REASON]
        values = self.data if self.is_bound else self.initial
        self._add_part_fields(name for name in self._part_fields if values.get(name))

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._part_fields = attribution_fields(cls.parts)
        set_error_messages(cls._part_fields)

    @classmethod
    def part_fields(cls) -> dict[str, forms.Field]:
        """Return new fields for the attribution of each part, by name."""
        return deepcopy(cls._part_fields)

    def _add_part_fields(self, names: Iterable[str]) -> None:
        for name in names:
            self.fields.setdefault(name, deepcopy(self._part_fields[name]))

    @classmethod
    def attribution_names(cls) -> list[str]:
        """Return the names of the fields: of the whole, of its reason and of each part."""
        return [ATTRIBUTION, REASON, *(attribution_field_name(key) for key, _ in cls.parts)]

    @classmethod
    def proposals_among(
        cls, proposed: Mapping[str, AttributionProposal]
    ) -> dict[str, AttributionProposal]:
        """Return those of ``proposed`` that stand in an empty form of this kind, by field."""
        proposals = {
            attribution_field_name(key): proposed[key] for key, _ in cls.parts if key in proposed
        }
        if cls.kind in proposed:
            proposals[ATTRIBUTION] = proposed[cls.kind]
        return proposals

    @classmethod
    def proposed_attribution(cls, proposed: Mapping[str, AttributionProposal]) -> dict[str, Any]:
        """Return ``proposals_among`` as initial values, with the reasons that were typed."""
        proposals = cls.proposals_among(proposed)
        if not proposals:
            return {}
        reasons = dict.fromkeys(each.reason for each in proposals.values() if each.reason)
        causes = {name: each.attribution.value for name, each in proposals.items()}
        return {**causes, REASON: "; ".join(reasons)}

    @property
    def part_attributions(self) -> list[forms.BoundField]:
        """The fields of all parts, filled in or not, for a page."""
        self._add_part_fields(self._part_fields)
        return [self[name] for name in self._part_fields]

    @property
    def shows_attribution(self) -> bool:
        """Whether the page unfolds the attribution: it is proposed, typed, or wrong."""
        if not self.has_attribution:
            return False
        values = self.data if self.is_bound else self.initial
        return any(
            name in self.errors or values.get(name) not in (None, "", Attribution.CRS)
            for name in self.attribution_names()
        )

    def charts(self, body: Mapping[str, Any], part: str) -> bool:
        """Return whether ``body`` has a value for ``part``."""
        return part in body

    def causes_of(self, body: Mapping[str, Any]) -> dict[str, Attribution]:
        """Return the cause of each part that ``body`` charts; of "" where it has no parts."""
        whole = Attribution(self.cleaned_data.get(ATTRIBUTION) or Attribution.CRS)
        charted = [key for key, _ in self.parts if self.charts(body, key)]
        return attribution_by_part(whole, self.cleaned_data, charted) or {"": whole}

    def attribution_of(self, body: Mapping[str, Any]) -> str | dict[str, str] | None:
        """Return the attribution as the course file has it: by part where the parts differ."""
        if not self.has_attribution:
            return None
        causes = self.causes_of(body)
        if len(set(causes.values())) > 1:
            return {part: cause.value for part, cause in causes.items()}
        cause = next(iter(causes.values()))
        return None if cause is Attribution.CRS else cause.value

    def require_reason_for(self, bodies: Iterable[Mapping[str, Any]]) -> None:
        """Require the reason where something is not plainly due to CRS; else drop it."""
        if not self.has_attribution or REASON in self.errors:
            return
        causes = {cause for body in bodies for cause in self.causes_of(body).values()}
        if not causes - {Attribution.CRS}:
            self.cleaned_data[REASON] = ""
        elif not self.cleaned_data.get(REASON):
            self.add_error(REASON, "Say what else it is due to, or why it is uncertain.")


class BlankAttribution(forms.Form):
    """Attribution and note of a class of entry forms, with nothing filled in."""

    proposes_attribution = shows_attribution = False
    proposals_by_choice: ClassVar[Mapping[str, Any]] = {}

    def __init__(self, form_class: type[AttributionFields]) -> None:
        super().__init__(label_suffix="")
        self.has_attribution, self.parts = form_class.has_attribution, form_class.parts
        names = [ATTRIBUTION, REASON] if self.has_attribution else []
        self.fields = {
            name: deepcopy(form_class.base_fields[name]) for name in (*names, NOTE)
        } | form_class.part_fields()

    @property
    def part_attributions(self) -> list[forms.BoundField]:
        """The fields of the parts, as in ``AttributionFields``."""
        return [self[attribution_field_name(key)] for key, _ in self.parts]
