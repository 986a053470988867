"""Every term that can be charted can be looked up: its criteria, and the words it is found by."""

import pytest

from grading.engine.analytes import Analyte
from grading.engine.ctcae import CTCAE_WORDS
from grading.engine.laboratory import highest_grade
from grading.engine.symptom_list import TABLE_1
from grading.engine.vocabulary import (
    CONSTITUTIONAL_SYMPTOMS,
    SIGNS_SHOWN_ONLY,
    SYMPTOM_TERMS,
    TOXICITY_TERMS,
    TermGroup,
)


def test_every_term_has_its_grades_and_nothing_else_has() -> None:
    assert set(CTCAE_WORDS) == set(TOXICITY_TERMS)


@pytest.mark.parametrize("term", TOXICITY_TERMS)
def test_a_term_has_at_least_one_grade_and_is_found_by_other_words(term: str) -> None:
    words = CTCAE_WORDS[term]
    assert words.grades
    assert words.also
    for grade in words.grades:
        assert 7 <= len(words.of(grade)) <= 100


@pytest.mark.parametrize(
    ("term", "grades"),
    [
        ("cardiac_arrest", (4,)),
        ("lvef", (2, 3, 4)),
        ("aptt", (1, 2, 3)),
        ("troponin_increased", (1, 3)),
        ("disseminated_intravascular_coagulation", (2, 3, 4)),
        ("headache", (1, 2, 3)),
        ("seizure", (1, 2, 3, 4)),
    ],
)
def test_the_grades_that_ctcae_has(term: str, grades: tuple[int, ...]) -> None:
    assert CTCAE_WORDS[term].grades == grades


@pytest.mark.parametrize(
    "term", [t for t, group in TOXICITY_TERMS.items() if group is TermGroup.LABORATORY]
)
def test_a_result_is_never_graded_higher_than_its_criteria_go(term: str) -> None:
    assert max(CTCAE_WORDS[term].grades) == highest_grade(Analyte(term))


@pytest.mark.parametrize(
    ("word", "term"),
    [("fits", "seizure"), ("kidney", "acute_kidney_injury"), ("liver", "hepatic_failure")],
)
def test_a_term_is_found_by_the_word_of_a_layman(word: str, term: str) -> None:
    assert word in CTCAE_WORDS[term].also.split()


def test_table_1_lists_each_sign_once_and_only_what_can_be_charted() -> None:
    listed = [term for system in TABLE_1 for term in system.symptoms]
    assert len(listed) == len(set(listed))
    assert set(listed) <= SYMPTOM_TERMS
    assert {*CONSTITUTIONAL_SYMPTOMS, *SIGNS_SHOWN_ONLY} <= set(listed)
