"""Forms about other systems: their settings, their keys, and what their codes mean."""

from __future__ import annotations

from typing import Any, Final

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from crs_app.accounts.forms import ConfirmedForm
from crs_app.accounts.models import Ward
from grading.engine.analytes import Analyte
from grading.engine.sentences import inside_a_sentence
from grading.engine.vocabulary import VITAL_SIGNS, OxygenDevice, TreatmentAgent, VasopressorDrug
from grading.plain_text import disallowed_character, without_blanks_around
from patients.exchange.access.keys import LONGEST_KEY_SET, KeySetError, PublicKey, read_key_set
from patients.exchange.access.scopes import SUPPORTED
from patients.exchange.formats.context import Filing
from patients.exchange.local_codes import NewCode
from patients.exchange.register import (
    CHANGEABLE,
    DEFAULT,
    LONGEST_NAME,
    check_settings,
    settings_version,
)
from patients.models import CodeMeaning, EntryKind, ExternalSystem, SystemKind

FILED_KINDS: Final = (
    EntryKind.VITALS,
    EntryKind.OXYGEN,
    EntryKind.VASOPRESSOR,
    EntryKind.FLUID_BOLUS,
    EntryKind.LAB,
    EntryKind.WEIGHT,
    EntryKind.TREATMENT,
)
"""The kinds of entries whose filing is chosen one by one; others follow the default."""
_FILINGS: Final = (
    (Filing.PROPOSE.value, "proposed: a person charts it by one tap"),
    (Filing.FILE.value, "charted at once"),
)
_AS_DEFAULT: Final = ("", "as above")
NOTHING: Final = "nothing"
SCOPE_WORDS: Final = {
    "system/Observation.c": "send results, vital signs and oxygen",
    "system/MedicationAdministration.c": "send infusions and drugs",
    "system/Patient.rs": "read who is here",
    "system/Observation.rs": "read results, vital signs and grades",
    "system/MedicationAdministration.rs": "read infusions and drugs",
}


class OneLine(forms.CharField):
    """Text in one line, without controls that change how it is read."""

    def to_python(self, value: Any) -> str:
        text = without_blanks_around(super().to_python(value) or "")
        found = disallowed_character(text)
        if found is not None:
            raise forms.ValidationError(f"It has a character that cannot stand here: {found}.")
        return text


class SeenForm(ConfirmedForm):
    """A form that changes what its page showed; ``seen`` is the version of it."""

    seen = OneLine(required=False, max_length=60, widget=forms.HiddenInput)


class ActiveForm(ConfirmedForm):
    """Whether a system may send; a second tap asks for the same."""

    is_active = forms.ChoiceField(
        choices=(("yes", "Reactivate"), ("no", "Deactivate")),
        widget=forms.HiddenInput,
        error_messages={"required": "Open this page again.", "invalid_choice": "Open it again."},
    )


def _filing_name(kind: EntryKind) -> str:
    return f"filing_{kind.value}"


class SettingsForm(SeenForm):
    """The settings of a system; the database keeps the earlier ones."""

    mrn_system = OneLine(
        label="Identifier system of its record numbers",
        required=False,
        max_length=300,
        help_text="A URI such as urn:oid:1.2.3. Patients are matched by this number alone, never "
        "by name.",
    )
    timezone = OneLine(
        label="Time zone of times without an offset",
        max_length=60,
        help_text="Such as Europe/Berlin.",
    )
    charset = OneLine(
        label="Characters of messages that name none",
        max_length=20,
        initial="utf-8",
    )
    filing = forms.ChoiceField(label="What it sends is", choices=_FILINGS)
    file_wards = forms.ModelMultipleChoiceField(
        label="On these wards everything is charted at once",
        queryset=Ward.objects.all(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        error_messages={"invalid_choice": "One of the wards is not there any more."},
        help_text="Entries of a monitor then say: not validated. Unusual ones are still proposed.",
    )
    thinning_minutes = forms.IntegerField(
        label="Of what comes often, one set in so many minutes",
        required=False,
        min_value=1,
        max_value=240,
        help_text="Empty: each set. A set that meets a criterion is never left out.",
    )
    allowed_addresses = forms.CharField(
        label="Addresses it may send HL7 v2 from",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 3, "spellcheck": "false"}),
        help_text="One address or network a line, such as 10.1.2.0/24. None: nobody.",
    )
    matches_by_bed = forms.BooleanField(
        label="Messages without a patient are about who lies in the bed", required=False
    )
    accepts_other_types = forms.BooleanField(
        label="Accept and keep HL7 v2 messages of types that are not read", required=False
    )
    obeys_no_answer = forms.BooleanField(
        label="Send no answer where the message says that none is wanted", required=False
    )

    def __init__(
        self,
        request: Any,
        data: Any = None,
        *,
        system: ExternalSystem | None = None,
    ) -> None:
        super().__init__(request, data, initial=_initial(system))
        self.system = system
        for kind in FILED_KINDS:
            self.fields[_filing_name(kind)] = forms.ChoiceField(
                label=kind.label, choices=(_AS_DEFAULT, *_FILINGS), required=False
            )

    @property
    def kinds(self) -> list[forms.BoundField]:
        """The fields that say how one kind of entry is filed."""
        return [self[_filing_name(kind)] for kind in FILED_KINDS]

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.errors:
            try:
                check_settings(self.values())
            except ValidationError as error:
                for name, messages in error.message_dict.items():
                    field = "file_wards" if name == "filing_of_wards" else name
                    self.add_error(field if field in self.fields else None, messages)
        return self.cleaned_data

    def values(self) -> dict[str, Any]:
        """Return the columns of the system; call it on a valid form."""
        cleaned = self.cleaned_data
        filing = {DEFAULT: cleaned["filing"]}
        for kind in FILED_KINDS:
            if word := cleaned.get(_filing_name(kind)):
                filing[kind.value] = word
        before = {} if self.system is None else self.system.filing
        kept = {key: word for key, word in before.items() if key not in _chosen_here()}
        values: dict[str, Any] = {}
        for name in CHANGEABLE:
            if name in cleaned:
                values[name] = cleaned[name]
        addresses = cleaned["allowed_addresses"].split()
        return {
            **values,
            "filing": kept | filing,
            "filing_of_wards": {
                str(ward.pk): {DEFAULT: Filing.FILE.value} for ward in cleaned["file_wards"]
            },
            "allowed_addresses": list(dict.fromkeys(addresses)),
        }


def _chosen_here() -> frozenset[str]:
    return frozenset({DEFAULT, *(kind.value for kind in FILED_KINDS)})


def _initial(system: ExternalSystem | None) -> dict[str, Any]:
    if system is None:
        return {
            "kind": SystemKind.MONITOR,
            "timezone": settings.TIME_ZONE,
            "filing": Filing.PROPOSE.value,
            "thinning_minutes": 15,
        }
    initial: dict[str, Any] = {}
    for name in CHANGEABLE:
        initial[name] = getattr(system, name)
    return initial | {
        "seen": settings_version(system),
        "filing": system.filing.get(DEFAULT, Filing.PROPOSE.value),
        "file_wards": [int(ward) for ward in system.filing_of_wards],
        "allowed_addresses": "\n".join(system.allowed_addresses),
        **{_filing_name(kind): system.filing.get(kind.value, "") for kind in FILED_KINDS},
    }


class NewSystemForm(SettingsForm):
    """A new system."""

    field_order = ("name", "kind")

    kind = forms.ChoiceField(
        label="Kind",
        choices=SystemKind.choices,
        help_text="It cannot be changed: what monitors and pumps send is not validated by anybody.",
    )
    name = OneLine(
        label="Name",
        max_length=LONGEST_NAME,
        help_text="As nurses know it: it stands on everything that it sent. It cannot be changed.",
    )


class KeysForm(ConfirmedForm):
    """Public keys of a system, as a JSON Web Key Set."""

    key_set = forms.CharField(
        label="Public keys (JWKS)",
        max_length=LONGEST_KEY_SET,
        widget=forms.Textarea(attrs={"rows": 8, "spellcheck": "false", "autocomplete": "off"}),
        help_text="The text of the set. Nothing is fetched: paste what stands at the address.",
    )
    issuer = OneLine(
        label="For CDS Hooks: the issuer (iss)",
        required=False,
        max_length=300,
        help_text="Empty: the keys are for the token endpoint.",
    )
    jku = OneLine(
        label="For CDS Hooks: the address of the set (jku)", required=False, max_length=300
    )

    def clean_key_set(self) -> list[PublicKey]:
        try:
            return read_key_set(self.cleaned_data["key_set"])
        except KeySetError as error:
            raise forms.ValidationError(str(error)) from None

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("jku") and not self.cleaned_data.get("issuer"):
            self.add_error("issuer", "An address of the set needs its issuer.")
        return self.cleaned_data


class ScopesForm(SeenForm):
    """What a system may do with its key."""

    scopes = forms.MultipleChoiceField(
        label="With its key it may",
        required=False,
        choices=[(scope, SCOPE_WORDS.get(scope, scope)) for scope in SUPPORTED],
        widget=forms.CheckboxSelectMultiple,
    )


def _meanings() -> list[tuple[str, list[tuple[str, str]]]]:
    signs = [(sign.key, f"{sign.label}, {sign.unit}") for sign in VITAL_SIGNS]
    signs += [("temperature_f", "Temperature, °F"), ("weight_kg", "Weight, kg")]
    signs += [("flow_l_per_min", "Oxygen flow, L/min"), ("fio2_percent", "FiO2, %")]
    signs += [
        (device.value, f"Oxygen by: {inside_a_sentence(device.label)}") for device in OxygenDevice
    ]
    drugs = [(drug.value, drug.label) for drug in VasopressorDrug]
    drugs += [(agent.value, agent.label) for agent in TreatmentAgent if agent.value != "other"]
    groups = {
        CodeMeaning.ANALYTE: [(analyte.value, analyte.label) for analyte in Analyte],
        CodeMeaning.SIGN: signs,
        CodeMeaning.DRUG: drugs,
    }
    return [
        (about.label, [(f"{about.value}:{word}", label) for word, label in words])
        for about, words in groups.items()
    ]


class CodeForm(forms.Form):
    """A code of a hospital and what it means; ``seen`` is the row about it that the page showed."""

    coding_system = OneLine(
        label="Coding system",
        required=False,
        max_length=300,
        help_text="As the message has it: L, 99LAB, or a URI.",
    )
    code = OneLine(label="Code", max_length=200)
    text = OneLine(label="Its text", required=False, max_length=300)
    unit = OneLine(
        label="Its unit",
        required=False,
        max_length=100,
        help_text="For people. A unit is read by its own table, never by this.",
    )
    means = forms.ChoiceField(
        label="It means",
        choices=[
            ("", "Choose what it means"),
            (NOTHING, "Nothing any more: hold it"),
            *_meanings(),
        ],
        error_messages={"required": "Choose what the code means."},
    )
    seen = forms.IntegerField(required=False, widget=forms.HiddenInput)

    def new_code(self) -> NewCode:
        """Return the code; call it on a valid form."""
        cleaned = self.cleaned_data
        about, _, word = cleaned["means"].partition(":")
        if cleaned["means"] == NOTHING:
            about = word = ""
        return NewCode(
            cleaned["coding_system"],
            cleaned["code"],
            cleaned["text"],
            cleaned["unit"],
            about,
            word,
        )


def meaning_text(about: str, means: str) -> str:
    """Return what a code means as the form names it."""
    for _, words in _meanings():
        for value, label in words:
            if value == f"{about}:{means}":
                return label
    return means or "nothing any more"
