"""The banner: the patient's age, sex, weight, baseline and day of therapy."""

from datetime import timedelta
from decimal import Decimal

from django.utils import timezone

from crs_app.accounts.models import User
from patients.display.banner import banner_of
from patients.queries.courses import read_course
from patients.queries.status import read_course_status
from tests.factories import admit


def test_the_banner_says_what_is_known(clinician: User) -> None:
    now = timezone.now()
    infused = now - timedelta(days=3)
    bare = admit(
        clinician, weight_kg=None, birth_date=None, age_years=Decimal(54), sex="unknown",
        infused_at=infused,
    )  # fmt: skip
    banner = banner_of(read_course_status(read_course(bare.pk), now))
    assert (banner.age_text, banner.weight_text, banner.baseline_text) == (
        "54 y",
        "not charted",
        "not established",
    )
    assert (banner.day, banner.sex_letter, banner.weight_at) == (3, "", None)
    born = timezone.localtime(now).date() - timedelta(days=400)
    mean = {"mean_arterial_pressure_mmhg": "60"}
    child = admit(clinician, birth_date=born, baseline=mean, infused_at=infused)
    banner = banner_of(read_course_status(read_course(child.pk), now))
    assert (banner.age_text, banner.baseline_text) == ("13 mo", "MAP 60")
