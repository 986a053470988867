"""The page of sources."""

from django.test import Client
from django.urls import reverse

from grading.engine.algorithm import ITEMS
from patients.guidance.advice import CHARTED_BY_DONE
from patients.guidance.sources import CHART_USED
from patients.models import Course
from tests.entry_forms import HTMX


def test_every_item_says_where_it_comes_from(nurse_client: Client, grade_1: Course) -> None:
    assert set(CHART_USED) == {row.code for row in ITEMS}
    assert set(CHARTED_BY_DONE) <= set(CHART_USED)
    for query in ({}, {"course": str(grade_1.pk)}):
        page = nurse_client.get(reverse("patients:sources"), query)
        assert page.status_code == 200
        for fields in ("Juno Therapeutics", "National Cancer Institute", "lee-2014", "high dose"):
            assert fields in page.content.decode()
        assert len(page.context["sources"].items) == len(ITEMS)
    panel_page = nurse_client.get(reverse("patients:guidance", args=[grade_1.pk]), **HTMX)
    assert f"?course={grade_1.pk}#item-infection-workup" in panel_page.content.decode()
