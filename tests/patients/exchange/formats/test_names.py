"""Family names that contradict the name in the chart, and those that do not."""

from __future__ import annotations

import pytest

from patients.exchange.formats.names import is_name_of

AGREE = [
    ("Müller", "Jana Müller"), ("MUELLER", "Jana Müller"), ("Muller", "Jana Müller"),
    ("Müller", "JANA MUELLER"), ("Weiss", "Karl Weiß"), ("Weiß", "Karl Weiss"),
    ("Mu\u0308ller", "Jana Müller"), ("Garcia", "Ana García"), ("García López", "Ana Garcia Lopez"),
    ("Garcia-Lopez", "Ana Garcia Lopez"), ("O\u2019Neill", "Tom O'Neill"), ("Müller", "Müller, J."),
    ("Lukaszewicz", "Ewa Łukaszewicz"), ("Soerensen", "Ida Sørensen"), ("Sorensen", "Ida Sørensen"),
    ("van der Berg", "Jan van der Berg"), ("", "Jana Müller"), ("  ", "Jana Müller"), ("Meier", ""),
    ("Mül\u200bler", "Jana Müller"), ("Müller", "\ufeffJana Mül\u00adler"),
]  # fmt: skip
CONTRADICT = [
    ("Meier", "Jana Müller"), ("Müller Meier", "Jana Müller"), ("Müllers", "Jana Müller"),
    ("M", "Jana Müller"), ("Mueler", "Jana Müller"), ("ONeill", "Tom O'Neill"),
]  # fmt: skip


@pytest.mark.parametrize(("family", "chart"), AGREE)
def test_a_name_agrees_with_the_chart(family: str, chart: str) -> None:
    assert is_name_of(family, chart)


@pytest.mark.parametrize(("family", "chart"), CONTRADICT)
def test_a_name_contradicts_the_chart(family: str, chart: str) -> None:
    assert not is_name_of(family, chart)
