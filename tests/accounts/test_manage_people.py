"""Pages for administrators: what they may do to users, and what nobody may."""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.models import Session
from django.db import connections
from django.test import Client
from django.utils import timezone
from time_machine import TimeMachineFixture

from crs_app.accounts import people_views
from crs_app.accounts.models import OneTimeLink, Role, User, Ward
from crs_app.accounts.system_users import course_file_author
from crs_app.accounts.wards import set_wards
from crs_app.record.models import Event, EventKind
from patients.models import Course

PASSWORD, NEW = "correct horse 1", "a longer horse 2"


@pytest.fixture
def admin(administrator: User) -> Client:
    """An administrator who has signed in just now, at the sign-in page."""
    return signed_in("admin")


def signed_in(username: str, password: str = PASSWORD) -> Client:
    client = Client()
    sent = {"username": username, "password": password}
    assert client.post("/accounts/sign-in/", sent).status_code == 302, username
    return client


def is_signed_in(client: Client) -> bool:
    return client.get("/accounts/me/").status_code == 200


def create(admin: Client, **changes: str) -> Any:
    sent = {
        "first_name": "Ewa", "last_name": "Nowak", "username": "e.nowak", "role": "ward_clinician",
    }  # fmt: skip
    return admin.post("/people/new/", sent | changes)


def link_in(answer: Any) -> str:
    assert answer.status_code == 200, answer.content.decode()
    found = re.search(r"http://testserver(/accounts/start/[^<\s]+)", answer.content.decode())
    assert found is not None
    return found[1]


def set_password(link: str, password: str = NEW) -> Any:
    return Client().post(link, {"new_password1": password, "new_password2": password})


def test_a_new_user_sets_the_password_by_a_link_and_signs_in(admin: Client) -> None:
    link = link_in(create(admin))
    assert "Ewa" in Client().get(link).content.decode()
    assert set_password(link)["Location"] == "/accounts/sign-in/"
    assert is_signed_in(signed_in("e.nowak", NEW))
    person = User.objects.get(username="e.nowak")
    assert (person.display_name, person.role) == ("E. Nowak", Role.WARD_CLINICIAN)
    pressed_twice = create(admin)
    assert pressed_twice.status_code == 422
    assert "make a new link there" in pressed_twice.content.decode()


def test_a_link_is_used_once_and_is_stored_nowhere(admin: Client) -> None:
    link = link_in(create(admin))
    assert Client().get(link).status_code == 200, "opening it uses nothing up"
    assert set_password(link).status_code == 302
    assert set_password(link, "yet another horse 3").status_code == 404
    assert Client().get(link).status_code == 404
    person = User.objects.get(username="e.nowak")
    failed = Event.objects.filter(kind=EventKind.SIGN_IN_FAILED)
    assert [(one.by, one.details) for one in failed] == [(person, {"why": "link"})] * 2
    assert link.split("/")[-2] not in str(list(OneTimeLink.objects.values()))
    assert not set(Session.objects.values_list("session_data", flat=True)) & {link}


def test_a_link_that_nobody_had_is_recorded_and_counts_for_its_address(admin: Client) -> None:
    """A link that works waits for no count, and lets its user in."""
    link = link_in(create(admin))
    for number in range(50):
        assert Client().get(f"/accounts/start/{number}/").status_code == 404
    failed = Event.objects.filter(kind=EventKind.SIGN_IN_FAILED)
    assert [(one.by, one.details) for one in failed] == [(None, {"why": "link"})] * 50
    held = Client().post("/accounts/sign-in/", {"username": "admin", "password": PASSWORD})
    assert "Too many failed sign-ins" in held.content.decode()
    assert set_password(link).status_code == 302
    assert is_signed_in(signed_in("e.nowak", NEW))


def test_a_refused_form_of_a_link_does_not_record_its_secret(admin: Client, nurse: User) -> None:
    """Who is signed in sends it without the token of the form."""
    link = link_in(create(admin))
    strict = Client(enforce_csrf_checks=True)
    strict.cookies = signed_in("nurse").cookies
    assert strict.post(link, {"new_password1": NEW}).status_code == 403
    recorded = list(Event.objects.values())
    assert any(event["kind"] == EventKind.REFUSED for event in recorded)
    assert link.split("/")[-2] not in str(recorded)


def test_a_link_ends_after_a_day(admin: Client, time_machine: TimeMachineFixture) -> None:
    link = link_in(create(admin))
    made = timezone.now()
    time_machine.move_to(made + timedelta(hours=23, minutes=59))
    assert Client().get(link).status_code == 200
    time_machine.move_to(made + timedelta(hours=24, minutes=1))
    assert set_password(link).status_code == 404


def test_a_newer_link_ends_the_one_before(admin: Client, nurse: User) -> None:
    first = link_in(admin.post(f"/people/{nurse.pk}/link/"))
    second = link_in(admin.post(f"/people/{nurse.pk}/link/"))
    assert set_password(first).status_code == 404
    assert is_signed_in(signed_in("nurse")), "the password of before holds until a new one is set"
    assert set_password(second).status_code == 302
    assert is_signed_in(signed_in("nurse", NEW))


def test_a_reset_ends_the_sessions_of_before(admin: Client, nurse: User) -> None:
    before = signed_in("nurse")
    set_password(link_in(admin.post(f"/people/{nurse.pk}/link/")))
    assert not is_signed_in(before)


def test_a_link_ends_with_another_role_and_with_a_password_that_its_user_changed(
    admin: Client, nurse: User
) -> None:
    """Who finds it later must not become an administrator by it, nor undo what its user did."""

    def link() -> str:
        return link_in(admin.post(f"/people/{nurse.pk}/link/"))

    of_before = link()
    admin.post(f"/people/{nurse.pk}/role/", {"role": nurse.role})
    assert Client().get(of_before).status_code == 200
    admin.post(f"/people/{nurse.pk}/role/", {"role": "administrator"})
    assert Client().get(of_before).status_code == 404

    of_before = link()
    sent = {"old_password": PASSWORD, "new_password1": NEW, "new_password2": NEW}
    assert signed_in("nurse").post("/accounts/me/password/", sent).status_code == 302
    assert set_password(of_before).status_code == 404


def test_a_weak_password_is_refused_and_the_link_lives_on(admin: Client) -> None:
    link = link_in(create(admin))
    answer = set_password(link, "short")
    assert answer.status_code == 422
    assert "12 characters" in answer.content.decode()
    assert set_password(link).status_code == 302


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("username", "NURSE", "taken"),
        ("username", "1x", "letter first"),
        ("username", "nürse", "letter first"),
        ("username", "course-file", "taken"),
        ("username", "nurse.", "looks like nurse,"),
        ("username", "n_ur-se", "looks like nurse,"),
        ("username", "c0urse-fi1e", "looks like course-file,"),
        ("last_name", "No\u0432ak", "two alphabets"),
        ("first_name", "\u0395wa", "two alphabets"),
        ("first_name", "", "required"),
        ("last_name", "No\u202ewak", "U+202E"),
        ("last_name", "No\u200bwak", "U+200B"),
        ("last_name", "No\u200dwak", "U+200D"),
        ("last_name", "Nowak\ufe0f", "U+FE0F"),
        ("last_name", "\u3164", "U+3164"),
        ("last_name", "e" + "\u0310" * 5, "U+0310"),
        ("first_name", "-1", "has a letter"),
        ("last_name", "x" * 81, "80"),
        ("role", "", "Choose a role"),
        ("role", "superuser", "valid choice"),
    ],
)
def test_a_wrong_field_is_named_and_what_was_typed_is_kept(
    admin: Client, nurse: User, field: str, value: str, sentence: str
) -> None:
    course_file_author()
    before = User.objects.count()
    answer = create(admin, **{field: value})
    assert answer.status_code == 422
    assert sentence in answer.content.decode()
    if field != "username":
        assert 'value="e.nowak"' in answer.content.decode()
    assert User.objects.count() == before


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("Nguye\u0302\u0303n", "Nguyễn"),
        ("ربی\u200cنی", "ربی\u200cنی"),
        ("Новак", "Новак"),
        ("高橋カツ子", "高橋カツ子"),
        ("O'Brien-Ó Súilleabháin", "O'Brien-Ó Súilleabháin"),
    ],
)
def test_names_of_every_script_are_kept_and_a_letter_has_one_form(
    admin: Client, typed: str, stored: str
) -> None:
    link_in(create(admin, last_name=typed))
    assert User.objects.get(username="e.nowak").last_name == stored
    found = admin.get("/people/", {"q": typed}).content.decode()
    assert "e.nowak" in found


def test_nothing_but_the_fields_of_the_form_is_taken(admin: Client) -> None:
    link_in(create(admin, is_superuser="1", is_staff="1", is_active="", password="x"))
    person = User.objects.get(username="e.nowak")
    assert (person.is_superuser, person.is_staff, person.is_active) == (False, False, True)
    assert not person.has_usable_password()


def test_a_role_changes_on_the_next_page(admin: Client, nurse: User) -> None:
    nurse_client = signed_in("nurse")
    assert nurse_client.get("/courses/admit/").status_code == 200
    assert admin.post(f"/people/{nurse.pk}/role/", {"role": "auditor"}).status_code == 302
    assert nurse_client.get("/courses/admit/").status_code == 403


def test_who_is_deactivated_is_out_at_once_and_for_good(admin: Client, nurse: User) -> None:
    nurse_client = signed_in("nurse")
    link = link_in(admin.post(f"/people/{nurse.pk}/link/"))
    assert admin.post(f"/people/{nurse.pk}/deactivate/").status_code == 302
    assert not is_signed_in(nurse_client)
    assert set_password(link).status_code == 404
    assert "Deactivated by L. Berg" in admin.get("/people/").content.decode()
    refused = Client().post("/accounts/sign-in/", {"username": "nurse", "password": PASSWORD})
    assert refused.status_code == 200
    assert admin.post(f"/people/{nurse.pk}/link/").status_code == 422

    assert admin.post(f"/people/{nurse.pk}/reactivate/").status_code == 302
    assert not is_signed_in(nurse_client), "a session of before does not come back"
    assert set_password(link).status_code == 404
    assert is_signed_in(signed_in("nurse"))


def test_signing_out_everywhere_ends_every_session_of_one_user(
    admin: Client, nurse: User, intensivist: User
) -> None:
    sessions, other = [signed_in("nurse") for _ in range(3)], signed_in("icu")
    assert "3 devices" in admin.get(f"/people/{nurse.pk}/").content.decode()
    assert admin.post(f"/people/{nurse.pk}/sign-out/").status_code == 302
    assert not any(map(is_signed_in, sessions))
    assert is_signed_in(other)
    assert is_signed_in(admin)


@pytest.mark.parametrize(
    ("act", "sent"), [("role", {"role": "auditor"}), ("deactivate", {}), ("link", {})]
)
def test_nobody_does_it_to_the_own_account(
    admin: Client, administrator: User, make_user: Callable[..., User], act: str, sent: Any
) -> None:
    make_user("second", Role.ADMINISTRATOR)
    answer = admin.post(f"/people/{administrator.pk}/{act}/", sent)
    assert answer.status_code == 422
    assert "You cannot" in answer.content.decode()
    administrator.refresh_from_db()
    assert (administrator.role, administrator.is_active) == (Role.ADMINISTRATOR, True)


def test_nobody_raises_another_but_an_administrator(
    nurse: User, intensivist: User, auditor: User
) -> None:
    for username in ("nurse", "icu", "audit"):
        client = signed_in(username)
        for person in (nurse, auditor):
            sent = {"role": "administrator", "your_password": PASSWORD}
            assert client.post(f"/people/{person.pk}/role/", sent).status_code == 403
        assert create(client, role="administrator").status_code == 403
    assert not User.objects.filter(role=Role.ADMINISTRATOR).exists()


def test_who_stands_for_a_program_can_never_sign_in(admin: Client) -> None:
    author = course_file_author()
    assert "course-file" not in admin.get("/people/").content.decode()
    for act in ("reactivate", "link", "role", "unlock"):
        sent = {"role": "administrator"}
        assert admin.post(f"/people/{author.pk}/{act}/", sent).status_code == 404
    author.refresh_from_db()
    assert (author.is_active, author.role) == (False, Role.WARD_CLINICIAN)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize(("act", "sent"), [("role", {"role": "auditor"}), ("deactivate", {})])
def test_two_administrators_who_remove_each_other_at_once_leave_one(
    make_user: Callable[..., User], act: str, sent: dict[str, str]
) -> None:
    for turn in range(3):
        User.objects.update(is_active=False)
        names = (f"first-{turn}", f"second-{turn}")
        pair = [make_user(name, Role.ADMINISTRATOR) for name in names]
        clients = [signed_in(one.username) for one in pair]

        def remove(who: int, clients: Any = clients, pair: Any = pair) -> int:
            try:
                return int(
                    clients[who].post(f"/people/{pair[1 - who].pk}/{act}/", sent).status_code
                )
            finally:
                connections.close_all()

        with ThreadPoolExecutor(2) as pool:
            statuses = sorted(pool.map(remove, (0, 1)))
        left = User.objects.filter(role=Role.ADMINISTRATOR, is_active=True).count()
        assert left == 1
        assert statuses in ([302, 302], [302, 403])


def test_before_a_change_the_password_is_asked_again_after_fifteen_minutes(
    admin: Client, nurse: User, time_machine: TimeMachineFixture
) -> None:
    signed_in_at = timezone.now()
    time_machine.move_to(signed_in_at + timedelta(minutes=14), tick=False)
    assert "your_password" not in admin.get("/people/new/").content.decode()
    time_machine.move_to(signed_in_at + timedelta(minutes=16), tick=False)
    answer = create(admin)
    assert answer.status_code == 422
    page = answer.content.decode()
    assert 'name="your_password"' in page
    assert 'value="Nowak"' in page
    assert create(admin, your_password="wrong").status_code == 422
    assert not User.objects.filter(username="e.nowak").exists()
    link_in(create(admin, your_password=PASSWORD))
    assert admin.post(f"/people/{nurse.pk}/deactivate/").status_code == 302, "and then no more"


def test_the_question_for_the_password_is_no_way_round_the_throttle(
    administrator_client: Client, nurse: User
) -> None:
    """A session left open on a tablet lets nobody guess."""
    sent = {"your_password": "wrong"}
    for _ in range(5):
        answer = administrator_client.post(f"/people/{nurse.pk}/deactivate/", sent)
        assert "not your password" in answer.content.decode()
    sent = {"your_password": PASSWORD}
    answer = administrator_client.post(f"/people/{nurse.pk}/deactivate/", sent)
    assert "Too many failed sign-ins" in answer.content.decode()
    nurse.refresh_from_db()
    assert nurse.is_active


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("q=rui", ["Ruiz, Jo"]),
        ("q=Ruiz,+Jo", ["Ruiz, Jo"]),
        ("q=ADMIN", ["Berg, Lin"]),
        ("q=oesei", ["Osei, Amara"]),
        ("q=n%C3%B3wak", ["Nowak, Ewa"]),
        ("q=%25", []),
        ("q=%00", ["Berg, Lin", "Nowak, Ewa", "Osei, Amara", "Ruiz, Jo"]),
        ("role=icu_reviewer", ["Osei, Amara"]),
        ("role=x&show=x&page=99999", ["Berg, Lin", "Nowak, Ewa", "Osei, Amara", "Ruiz, Jo"]),
        ("show=attention", ["Nowak, Ewa"]),
        ("show=unseen", ["Osei, Amara"]),
        ("show=off", ["Ruiz, Jo"]),
        ("page=2", []),
    ],
)
def test_users_are_found_by_name_role_and_state(
    admin: Client, nurse: User, make_user: Callable[..., User], query: str, names: list[str]
) -> None:
    create(admin)
    User.objects.filter(pk=nurse.pk).update(is_active=False)
    long_ago = timezone.now() - timedelta(days=91)
    osei = {"first_name": "Amara", "last_name": "Osei", "date_joined": long_ago}
    make_user("icu", Role.ICU_REVIEWER, **osei)
    part = admin.get(f"/people/?{query}", headers={"HX-Request": "true"}).content.decode()
    assert "<html" not in part
    assert re.findall(r'<a href="/people/\d+/">([^<]+)', part) == names
    whole = admin.get(f"/people/?{query}").content.decode()
    assert re.findall(r'<a href="/people/\d+/">([^<]+)', whole) == names


def test_the_list_is_read_by_as_many_statements_for_many_users(
    admin: Client, make_user: Callable[..., User], django_assert_max_num_queries: Any
) -> None:
    for number in range(120):
        User.objects.create(username=f"user{number}", last_name=f"Name {number:03}")
    with django_assert_max_num_queries(12):
        page = admin.get("/people/").content.decode()
    assert page.count('<th scope="row">') == 100
    assert "More names" in page


def test_the_list_as_csv_runs_no_formula(admin: Client, make_user: Callable[..., User]) -> None:
    names = {"last_name": "=HYPERLINK(1)", "first_name": "@x"}
    make_user("nurse", Role.WARD_CLINICIAN, **names)
    answer = admin.get("/people/users.csv")
    sent = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
    assert sent.startswith(b"\xef\xbb\xbf"), "Excel reads a file without it as no UTF-8"
    lines = sent.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("last_name,first_name,user_name,role,wards,last_sign_in")
    assert any(line.startswith("'=HYPERLINK(1),'@x,nurse,ward_clinician,") for line in lines)


def test_the_times_of_the_csv_are_those_of_the_site(
    admin: Client, nurse: User, settings: Any
) -> None:
    settings.TIME_ZONE = "America/New_York"
    User.objects.filter(pk=nurse.pk).update(last_login=datetime(2026, 3, 1, 10, tzinfo=UTC))
    answer = admin.get("/people/users.csv?q=nurse")
    (_, line) = b"".join(answer.streaming_content).decode().splitlines()  # type: ignore[attr-defined]
    assert ",2026-03-01T05:00:00-05:00," in line


def test_names_are_shown_as_text(admin: Client, make_user: Callable[..., User]) -> None:
    nurse = make_user("nurse", Role.WARD_CLINICIAN, last_name="<script>alert(1)</script>")
    for address in ("/people/", f"/people/{nurse.pk}/", f"/people/{nurse.pk}/role/"):
        page = admin.get(address).content.decode()
        assert "<script>alert" not in page
        assert "&lt;script&gt;alert(1)" in page


def test_an_administrator_charts_nothing(admin: Client) -> None:
    assert admin.get("/courses/admit/").status_code == 403


def test_the_only_administrator_is_said_to_be_the_only_one(
    admin: Client, make_user: Callable[..., User]
) -> None:
    assert "Only administrator" in admin.get("/people/").content.decode()
    make_user("second", Role.ADMINISTRATOR)
    assert "Only administrator" not in admin.get("/people/").content.decode()


def test_a_user_is_never_deleted(admin: Client, nurse: User) -> None:
    for method in (admin.delete, admin.put, admin.patch):
        assert method(f"/people/{nurse.pk}/").status_code == 405
    assert SESSION_KEY in admin.session
    assert User.objects.filter(pk=nurse.pk).exists()


def test_every_act_is_recorded_with_who_and_on_whom(admin: Client, nurse: User) -> None:
    link_in(create(admin))
    admin.post(f"/people/{nurse.pk}/role/", {"role": "auditor"})
    set_password(link_in(admin.post(f"/people/{nurse.pk}/link/")))
    for act in ("unlock", "sign-out", "deactivate", "reactivate"):
        assert admin.post(f"/people/{nurse.pk}/{act}/").status_code == 302
    b"".join(admin.get("/people/users.csv").streaming_content)  # type: ignore[attr-defined]
    events = Event.objects.exclude(kind=EventKind.RECORD_STARTED).order_by("number")
    kinds = [(event.kind, event.by_name, event.details.get("user")) for event in events]
    assert kinds == [
        ("sign_in", "L. Berg", None),
        ("user_created", "L. Berg", "e.nowak"),
        ("role_changed", "L. Berg", "nurse"),
        ("user_changed", "L. Berg", "nurse"),
        ("password_changed", "J. Ruiz", None),
        ("user_unlocked", "L. Berg", "nurse"),
        ("signed_out", "L. Berg", "nurse"),
        ("user_changed", "L. Berg", "nurse"),
        ("user_changed", "L. Berg", "nurse"),
        ("export", "L. Berg", None),
    ]
    assert NEW not in str(list(events.values()))
    assert {event.address for event in events} == {"127.0.0.1"}


def test_the_wards_of_a_user_are_chosen_at_first_and_later(admin: Client) -> None:
    first, second = (Ward.objects.create(name=name) for name in ("X1", "X2"))
    link_in(create(admin, wards=str(first.pk)))
    person = User.objects.get(username="e.nowak")
    assert "X1" in admin.get("/people/?q=nowak").content.decode()
    page = admin.get(f"/people/{person.pk}/wards/").content.decode()
    assert re.findall(r'value="(\d+)"[^>]*checked', page) == [str(first.pk)]
    sent = {"wards": [str(second.pk)]}
    assert admin.post(f"/people/{person.pk}/wards/", sent).status_code == 302
    assert User.objects.get(pk=person.pk).ward_ids == {second.pk}
    changed = Event.objects.filter(kind=EventKind.WARDS_CHANGED).order_by("number").last()
    assert changed is not None
    assert changed.details == {"user": "e.nowak", "before": "X1", "after": "X2"}
    assert admin.post(f"/people/{person.pk}/wards/", {"wards": ["999999"]}).status_code == 422


@pytest.mark.parametrize("what", ["role", "wards", "email"])
def test_a_page_from_before_another_change_of_a_user_sets_nothing_back(
    admin: Client, nurse: User, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    """What was chosen stays; the page says what is true now, and saves it when asked again."""
    monkeypatch.setattr(people_views, "needs_address", lambda: True)
    first, second = (Ward.objects.create(name=name) for name in ("X1", "X2"))
    set_wards(nurse, [first, second])
    mine, theirs, now = {
        "role": ("icu_reviewer", "auditor", "The role changed"),
        "wards": (str(second.pk), str(first.pk), "The wards changed"),
        "email": ("a@h.example", "b@h.example", "The address changed"),
    }[what]
    address = f"/people/{nurse.pk}/{what}/"
    seen = admin.get(address).context["seen"]
    for _ in range(2):
        assert admin.post(address, {what: theirs, "seen": seen}).status_code == 302
    refused = admin.post(address, {what: mine, "seen": seen})
    assert refused.status_code == 422
    assert f"{now} since this page was opened" in refused.content.decode()
    assert refused.context["form"][what].value() in (mine, [mine])
    again = re.findall(r'name="seen" value="(\w+)"', refused.content.decode())
    assert admin.post(address, {what: mine, "seen": again[0]}).status_code == 302


def test_the_list_is_limited_to_those_who_work_on_a_ward(
    admin: Client, nurse: User, intensivist: User, course: Course
) -> None:
    other = Ward.objects.create(name="K4")
    set_wards(intensivist, [other])
    page = admin.get("/people/", {"ward": course.on_ward_id}).content.decode()
    assert "Ruiz, Jo" in page
    assert "Osei, Amara" not in page
    assert f"users.csv?q=&amp;role=&amp;ward={course.on_ward_id}&amp;show=" in page
    answer = admin.get("/people/users.csv", {"ward": other.pk})
    names = b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]
    assert "Osei" in names
    assert "Ruiz" not in names
    for unknown in ("x", "9" * 30, "-1", "0"):
        assert admin.get("/people/", {"ward": unknown}).status_code == 200
