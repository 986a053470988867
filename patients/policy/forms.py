"""Forms for a decision about the policy of the site, and for regrading one course."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any, Final, NamedTuple

from crispy_forms.helper import FormHelper
from crispy_forms.layout import Fieldset
from django import forms

from grading.engine.parameters import Parameter
from grading.engine.policy import PARAMETERS, Policy, PolicyError, policy_from
from grading.engine.vocabulary import Limits
from patients.display.text import moment_text
from patients.forms.base import BedsideForm
from patients.forms.fields import ClockTimeField, IsoDateField, TypedNumberField
from patients.forms.layout import TimeField, fields_row, form_helper, span_2
from patients.forms.times import WHICH_CHOICES, LocalTimeFields
from patients.models import PolicyVersion
from patients.policy.text import (
    GROUPS,
    LABELS,
    allowed_text,
    changes_lee,
    choice_text,
    default_text,
    summary_of,
    value_text,
)
from patients.queries.policies import PolicyPeriod, policy_at

DECISION_AT_MOST_BACK: Final = timedelta(minutes=5)
DECISION_AT_MOST_AHEAD: Final = timedelta(days=366)
_REASON_REQUIRED: Final = "Enter the reason. It is shown in the history."


class Row(NamedTuple):
    """A parameter as the page lists it; ``field`` is its input.

    ``changes_lee`` tells a parameter of Lee's grade from one of display or of another scale.
    ``has_other_typed``: the input has another value than the one in force. ``changed_since``:
    somebody has changed it since the page was opened.
    """

    field: forms.BoundField
    label: str
    unit: str
    in_force: str
    default: str
    differs: bool
    has_other_typed: bool
    changed_since: bool
    allowed: str
    basis: str
    display_only: bool
    changes_lee: bool


class PolicyForm(LocalTimeFields):
    """Every parameter, and the time from which it is valid; empty is from now on.

    ``site`` are the policy periods in effect; ``seen`` is the key of the latest decision when the
    form was opened. ``opened_with`` is the policy that the page showed, where another one is in
    force since.
    """

    has_errors_on_top = False

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.IntegerField(widget=forms.HiddenInput)
    from_date = IsoDateField(
        label="Date",
        required=False,
        help_text="Empty: today",
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
    )
    from_time = ClockTimeField(label="From", required=False, help_text="Empty: from now on")
    from_which = forms.ChoiceField(label="Which of the two", choices=WHICH_CHOICES, required=False)
    reason = forms.CharField(
        label="Reason", max_length=500, error_messages={"required": _REASON_REQUIRED}
    )

    def __init__(
        self,
        data: Mapping[str, Any] | None,
        *,
        site: Sequence[PolicyPeriod],
        seen: int,
        now: datetime,
        opened_with: Policy | None = None,
    ) -> None:
        self.site, self.now, self.opened_with = site, now, opened_with
        self.in_force = policy_at(site, now)
        self.policy: Policy | None = None
        self.valid_from: datetime | None = None
        initial: dict[str, Any] = {"form_id": uuid.uuid4(), "seen": seen}
        super().__init__(data, initial=initial, label_suffix="")
        for name in LABELS:
            self.fields[name] = _field(name, PARAMETERS[name], getattr(self.in_force, name))

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form, without the parameters and its non-field errors."""
        which = ["from_which"] if self.asks_which else []
        when = fields_row("from_date", TimeField("from_time"), *which, span_2("reason"))
        helper = form_helper(Fieldset("From when, and why", when))
        helper.form_show_errors = False
        return helper

    def groups(self) -> list[tuple[str, list[Row]]]:
        """Return the parameters as the page lists them, by group."""
        return [(title, [self._row(name) for name in names]) for title, names in GROUPS.items()]

    def _row(self, name: str) -> Row:
        value = getattr(self.in_force, name)
        in_force, default = value_text(name, value), default_text(name)
        parameter, before = PARAMETERS[name], self.opened_with
        return Row(
            self[name],
            LABELS[name],
            parameter.unit,
            in_force,
            default,
            in_force != default,
            self.is_bound and self[name].value() != str(value),
            before is not None and getattr(before, name) != value,
            allowed_text(name),
            parameter.basis,
            parameter.display_only,
            changes_lee(name),
        )

    def clean(self) -> dict[str, Any]:
        self._clean_from()
        if not LABELS.keys() & self.errors.keys():
            try:
                self.policy = policy_from({name: self._typed(name) for name in LABELS})
            except PolicyError as error:
                for name, fault in error.faults.items():
                    self.add_error(name, f"{fault[:1].upper()}{fault[1:]}.")
        if not self.errors and self._changes_nothing():
            self.add_error(
                None, "No value differs from the policy in force then. Change a value first."
            )
        return self.cleaned_data

    def _typed(self, name: str) -> Any:
        """Return the option of a choice, or a number as it was typed."""
        typed = self.cleaned_data[name]
        by_text = {str(option): option for option in PARAMETERS[name].choices}
        return by_text.get(typed, typed)

    def _clean_from(self) -> None:
        names = ("from_date", "from_time")
        if all(self.cleaned_data.get(name) is None and name not in self.errors for name in names):
            return
        valid_from = self.clean_local_time("from", now=self.now, ahead=DECISION_AT_MOST_AHEAD)
        if valid_from is None:
            return
        if valid_from < self.now - DECISION_AT_MOST_BACK:
            self.add_error(
                "from_time",
                f"{moment_text(valid_from)} is in the past. A change of "
                "policy does not change earlier grades. To recalculate one course, open its policy "
                "page.",
            )
        self.valid_from = valid_from

    def _changes_nothing(self) -> bool:
        """Return whether the values are in effect then and replace no later decision."""
        valid_from = self.valid_from or self.now
        coming = any(period.valid_from >= valid_from for period in self.site)
        return self.policy == policy_at(self.site, valid_from) and not coming


def _field(name: str, parameter: Parameter, in_force: Any) -> forms.Field:
    label = LABELS[name]
    if parameter.choices:
        options = [(str(option), choice_text(option)) for option in parameter.choices]
        return forms.ChoiceField(label=label, choices=options, initial=str(in_force))
    return TypedNumberField(
        label=label,
        unit=parameter.unit,
        limits=Limits(parameter.lowest, parameter.highest),
        required=True,
        initial=str(in_force),
        error_messages={"required": "Enter a value. The default is next to it."},
    )


class RegradeForm(BedsideForm):
    """Regrading of one course from its infusion: the policy version and the reason.

    ``seen`` is the token of the course that the page showed.
    """

    form_id = forms.UUIDField(widget=forms.HiddenInput)
    seen = forms.CharField(required=False, max_length=16, widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Reason", max_length=500, error_messages={"required": _REASON_REQUIRED}
    )

    def __init__(
        self, data: Mapping[str, Any] | None, *, versions: Iterable[PolicyVersion]
    ) -> None:
        super().__init__(data, initial={"form_id": uuid.uuid4()})
        self._versions = {str(one.pk): one for one in versions}
        listed = [(pk, summary_of(policy_from(v.values))) for pk, v in self._versions.items()]
        self.fields["version"] = forms.ChoiceField(
            label="Policy",
            choices=[("", "Select"), *listed],
            error_messages={"required": "Select the policy."},
        )

    @cached_property
    def helper(self) -> FormHelper:
        """How crispy-forms renders the form, without its non-field errors."""
        helper = form_helper(fields_row(span_2("version"), span_2("reason")))
        helper.form_show_errors = False
        return helper

    def clean_version(self) -> PolicyVersion:
        """Return the chosen version."""
        return self._versions[self.cleaned_data["version"]]
