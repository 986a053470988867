"""Which record numbers and names are one, and which only look alike."""

import pytest

from patients.models.identifiers import invisible_in, mrn_key, mrn_look, name_key, visible_text


@pytest.mark.parametrize(
    "other",
    [
        "zw  1",
        " ZW 1 ",
        "ZW\u00a01",
        "ZW\u200b 1",
        "\uff3a\uff37\u30001",
        "\ufeffZW\t1",
        "Z\u00adW 1",
    ],
)
def test_one_number_written_in_many_ways_is_one(other: str) -> None:
    assert mrn_key(other) == mrn_key("ZW 1")


@pytest.mark.parametrize("other", ["ZW1", "ZW 01", "ZW 2", "ZW-1"])
def test_another_number_is_another(other: str) -> None:
    assert mrn_key(other) != mrn_key("ZW 1")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("00123", "123"), ("ZW-1", "zw 1"), ("ZW 01", "ZW1"), ("O123", "0123"), ("A1", "AI"),
        ("\u0412\u04157", "BE7"), ("12/3", "12.3"), ("000", "0"),
        ("\u00cdN 1", "IN 1"), ("I\u0301N 1", "lN-1"), ("\u00d817", "017"), ("\u0130K5", "1K5"),
        ("\u0141K5", "LK5"), ("\u00dc7", "u7"),
    ],
)  # fmt: skip
def test_numbers_that_look_alike_are_found(one: str, other: str) -> None:
    assert mrn_look(one) == mrn_look(other)


@pytest.mark.parametrize(("one", "other"), [("123", "1230"), ("TEST-00001", "TEST-00010")])
def test_numbers_that_look_different_are_not(one: str, other: str) -> None:
    assert mrn_look(one) != mrn_look(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Hern\u00e1ndez, Jose\u0301", "HERNA\u0301NDEZ, Jos\u00e9"),
        ("O'Neil", "O\u2019Neil"),
        ("O'Neil", "O\u02bcNEIL"),
        ("Smith-Jones", "Smith\u2010Jones"),
        ("Anna  Maria", "Anna\u00a0Maria "),
        ("\ufb01nn", "finn"),
    ],
)
def test_one_name_in_two_writings_is_one(one: str, other: str) -> None:
    assert name_key(one) == name_key(other)


def test_what_nobody_can_see_is_found() -> None:
    assert invisible_in("ZW\u200b1") == "\u200b"
    assert invisible_in("ZW 1") is None
    assert visible_text("\u202eZW\u200b 1\u2060") == "ZW 1"
