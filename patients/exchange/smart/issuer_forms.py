"""Forms of the pages on which administrators register health records that may launch."""

from __future__ import annotations

from typing import Any, Final

from django import forms

from crs_app.accounts.forms import ConfirmedForm
from crs_app.accounts.models import Role, User
from grading.plain_text import disallowed_character
from patients.exchange.smart.addresses import is_origin, is_private_address
from patients.exchange.smart.issuers import IssuerSettings
from patients.models import LaunchIdentity

KEY: Final = "key"
SECRET: Final = "secret"  # noqa: S105 - a word of the form
KEEP: Final = "keep"
_MOST_ORIGINS: Final = 10


class Line(forms.CharField):
    """Text in one line, without characters that change how it is read."""

    def to_python(self, value: Any) -> str:
        text = (super().to_python(value) or "").strip()
        found = disallowed_character(text)
        if found is not None:
            raise forms.ValidationError(f"This has a character that cannot stand here: {found}.")
        return text


class IssuerForm(ConfirmedForm):
    """A health record; of one that is registered, ``iss`` stays as it is."""

    iss = Line(
        label="iss: base of its FHIR addresses",
        max_length=300,
        help_text="Letter by letter as it sends it, such as https://ehr.example/fhir. Its "
        "smart-configuration is read there when you save.",
    )
    name = Line(label="Name", max_length=60, help_text="As it stands on launched pages.")
    client_id = Line(label="client_id of this application there", max_length=200)
    shows = forms.ChoiceField(
        label="How this application shows there who it is",
        choices=[
            (KEY, "Key of its own (private_key_jwt, ES384): register /smart/keys.json there"),
            (SECRET, "Secret (client_secret_basic)"),
        ],
        initial=KEY,
        widget=forms.RadioSelect,
    )
    client_secret = forms.CharField(
        label="The secret",
        required=False,
        strip=False,
        max_length=500,
        widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text="Only for a secret. It is stored encrypted and never shown.",
    )
    mrn_system = Line(
        label="Identifier system of the record numbers (MRN)",
        max_length=300,
        help_text="Such as urn:oid:1.2.3 or https://hospital.example/mrn.",
    )
    frame_origins = forms.CharField(
        label="Pages that may show ours in a frame, one in a line",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": 2, "autocomplete": "off"}),
        help_text="Scheme and host, such as https://ehr.example. Empty: a tab of its own.",
    )

    def __init__(self, *args: Any, registered: str = "", **options: Any) -> None:
        super().__init__(*args, **options)
        self._registered = registered
        if registered:
            del self.fields["iss"]
            self.fields["shows"].choices = [  # type: ignore[attr-defined]
                (KEEP, "As before"),
                *self.fields["shows"].choices,  # type: ignore[attr-defined]
            ]
            self.fields["shows"].initial = KEEP

    def clean_iss(self) -> str:
        iss: str = self.cleaned_data["iss"]
        if not is_private_address(iss) or "?" in iss:
            raise forms.ValidationError("Enter an address that begins with https://, without ?.")
        return iss

    def clean_frame_origins(self) -> tuple[str, ...]:
        origins = tuple(dict.fromkeys(self.cleaned_data["frame_origins"].split()))
        wrong = next((one for one in origins if not is_origin(one)), None)
        if wrong is not None or len(origins) > _MOST_ORIGINS:
            raise forms.ValidationError(
                f"Enter at most {_MOST_ORIGINS} of the form https://ehr.example, without a path."
            )
        return origins

    def clean(self) -> dict[str, Any]:
        """Ask for the secret where one is chosen."""
        super().clean()
        if self.cleaned_data.get("shows") == SECRET and not self.cleaned_data.get("client_secret"):
            self.add_error("client_secret", "Enter the secret.")
        return self.cleaned_data

    def asked(self) -> IssuerSettings:
        """Return what was entered."""
        values = self.cleaned_data
        secret = {KEEP: None, KEY: "", SECRET: values["client_secret"]}[values["shows"]]
        return IssuerSettings(
            iss=self._registered or values["iss"],
            name=values["name"],
            client_id=values["client_id"],
            client_secret=secret,
            mrn_system=values["mrn_system"],
            frame_origins=values["frame_origins"],
        )


class IdentityForm(ConfirmedForm):
    """Whom an identity of a health record is here."""

    identity = Line(
        label="fhirUser or sub there",
        max_length=300,
        help_text="Letter by letter as its identity tokens have it, such as "
        "https://ehr.example/fhir/Practitioner/7.",
    )
    username = Line(label="User name here", max_length=150)

    def clean_username(self) -> User:
        """Return the active user of that name, who is a person."""
        named = User.objects.filter(username=self.cleaned_data["username"], is_active=True)
        user = named.exclude(role=Role.SYSTEM).first()
        if user is None:
            raise forms.ValidationError("No active user has this name.")
        return user


class ForgetForm(ConfirmedForm):
    """An identity that is nobody here any more."""

    identity = forms.ChoiceField(
        label="Identity",
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one.", "invalid_choice": "It is forgotten already."},
    )

    def __init__(
        self, request: Any, *args: Any, linked: list[LaunchIdentity], **options: Any
    ) -> None:
        super().__init__(request, *args, **options)
        self.fields["identity"].choices = [  # type: ignore[attr-defined]
            (row.identity, f"{row.identity}: {row.user.name_in_lists}")
            for row in linked
            if row.user is not None
        ]
