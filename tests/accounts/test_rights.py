"""The table of rights: complete, shown as it decides, and read by every door."""

from __future__ import annotations

import inspect
import re

import pytest
from django.core.exceptions import PermissionDenied
from django.test import Client
from django.urls import reverse

from crs_app.accounts import permissions
from crs_app.accounts.models import Role, User
from crs_app.accounts.refusals import OtherWardError
from crs_app.accounts.rights import RIGHTS, Act
from crs_app.accounts.roles_views import COLUMNS
from crs_app.accounts.wards import set_wards
from patients.models import Course

DOORS = {
    name.removeprefix("check_can_"): check
    for name, check in inspect.getmembers(permissions, inspect.isfunction)
    if name.startswith("check_can_")
}


def test_every_act_has_a_right_for_every_role() -> None:
    assert set(RIGHTS) == set(Act)
    assert all(set(rights) == set(Role) for rights in RIGHTS.values())
    assert set(COLUMNS) == set(Role)


@pytest.mark.parametrize("name", DOORS)
def test_doors_come_in_pairs_and_refuse_with_a_sentence(name: str) -> None:
    """A user who may sign in no more may do nothing."""
    gone = User(username="gone", role=Role.WARD_CLINICIAN, is_active=False)
    assert not getattr(permissions, f"can_{name}")(gone)
    with pytest.raises(PermissionDenied, match=r"^Your role does not allow you to [a-z].*\.$"):
        DOORS[name](gone)


@pytest.mark.parametrize("role", COLUMNS)
def test_a_door_says_what_the_table_says(role: Role) -> None:
    user = User(username="someone", role=role)
    assert permissions.can_chart(user) is RIGHTS[Act.CHART][role][0].is_allowed
    assert permissions.can_review(user) is RIGHTS[Act.SIGN_GRADE][role][0].is_allowed
    assert permissions.can_manage_wards(user) is RIGHTS[Act.MANAGE_WARDS][role][0].is_allowed


def test_on_another_ward_a_reason_would_open_it(course: Course) -> None:
    user = User.objects.create_user("other", role=Role.WARD_CLINICIAN)
    set_wards(user, [])
    with pytest.raises(OtherWardError, match="not on one of your wards"):
        permissions.check_can_chart(user, course)


def test_the_page_shows_the_table_to_everybody(auditor_client: Client) -> None:
    page = auditor_client.get(reverse("roles")).content.decode()
    shown = re.findall(r'<td class="right-(\w+)">\s*(.*?)\s*</td>', page)
    cells = [
        right
        for act in sorted(Act, key=lambda act: act.value)
        for ward in ((0,) if all(own == other for own, other in RIGHTS[act].values()) else (0, 1))
        for right in (RIGHTS[act][role][ward] for role in COLUMNS)
    ]
    # Written with "4 h" on one line.
    assert sorted(words for _, words in shown) == sorted(
        right.words.replace("4 h", "4\xa0h") for right in cells
    )
    assert sum(kind == "yes" for kind, _ in shown) == sum(right.is_allowed for right in cells)
    assert "Open a patient, other ward" in page
