"""Text that no chart holds is refused in every form, and shown by name where it is stored."""

import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from django import forms
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from crs_app.accounts.models import User
from patients.forms.registry import CORRECTION_FORMS, ENTRY_FORMS
from patients.forms.retraction import RetractionForm
from patients.models import Course, Patient
from patients.ward.forms import AdmissionForm, EndForm, MoveForm, ReopenForm
from tests.entry_forms import send, url
from tests.factories import admit

HOSTILE = ("a\x1bb", "a\x00b", "a\u202eb", "a\u2066b", "a\u200fb", "a\x85b", "a\u2028b", "a\ud800b")


def forms_with_text(course: Course) -> Iterator[forms.Form]:
    now = timezone.now()
    for form_class in {*ENTRY_FORMS.values(), *CORRECTION_FORMS.values()}:
        yield form_class({}, course=course, now=now)
    yield RetractionForm({})
    yield AdmissionForm({}, now=now)
    for transfer in (MoveForm, EndForm, ReopenForm):
        yield transfer({}, course=course, now=now)


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_every_text_field_refuses_it_by_name(course: Course, text: str) -> None:
    tried = 0
    for form in forms_with_text(course):
        for name, field in form.fields.items():
            if type(field) is forms.CharField and not field.widget.is_hidden:
                with pytest.raises(forms.ValidationError, match=rf"<U\+{ord(text[1]):04X}>"):
                    field.clean(text)
                tried += 1
                assert name
    assert tried > 20


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        (b"%E2%80%8B", "no character that can be seen"),  # a zero width space
        (b"%E2%80%8D%C2%AD", "no character that can be seen"),
        (b"J%FCrgen", "A character was lost"),  # Latin-1
        (b"x%ED%A0%80", "A character was lost"),  # half of a pair
    ],
)
def test_text_that_nobody_can_read_is_refused(
    nurse_client: Client, course: Course, typed: bytes, sentence: str
) -> None:
    fields = b"what=name&step=preview&reason=wristband&form_id=" + str(uuid.uuid4()).encode()
    kind = "application/x-www-form-urlencoded"
    answer = nurse_client.post(url("identity", course), fields + b"&name=" + typed, kind)
    assert answer.status_code == 422
    assert sentence in answer.content.decode()


def test_a_note_may_have_lines_and_other_scripts(nurse_client: Client, course: Course) -> None:
    note = "seen by night team\r\n\u05e9\u05dc\u05d5\u05dd \u4f60\u597d \u00e9 \U0001f44d"
    assert send(nurse_client, course, "note", note=note).status_code == 200


def test_a_refused_text_is_kept_as_it_was_typed(nurse_client: Client, course: Course) -> None:
    answer = send(nurse_client, course, "note", note="lab\u202e called")
    assert answer.status_code == 422
    page = answer.content.decode()
    assert "Remove the character &lt;U+202E&gt;" in page
    assert not course.entries.filter(kind="note").exists()


def test_what_is_stored_is_shown_by_name_on_every_page(nurse_client: Client, nurse: User) -> None:
    name: Any = "DOE\u202e, Jane\u2066"
    course = admit(nurse, name=name, product="cells\u202e", ward="7\u202eB")
    assert Patient.objects.get().name == name
    pages = [reverse("patients:board"), url("bedside", course), url("timeline", course)]
    for address in pages:
        page = nurse_client.get(address).content.decode()
        assert "\u202e" not in page
        assert "\u2066" not in page
    assert "DOE&lt;U+202E&gt;, Jane&lt;U+2066&gt;" in nurse_client.get(pages[0]).content.decode()


@pytest.mark.parametrize("typed", ["3_9", "3.8e1", " 3 8", "\uff13\uff18", "\u0663\u0668", "38,5"])
def test_what_a_file_does_not_read_as_a_number_no_form_does(
    nurse_client: Client, course: Course, typed: str
) -> None:
    answer = send(nurse_client, course, "vitals", temperature=typed)
    assert answer.status_code == 422
    assert "temperature" in answer.context["form"].errors
    assert send(nurse_client, course, "vitals", temperature="+38.5").status_code == 200
