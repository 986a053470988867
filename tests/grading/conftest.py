"""What `make mutants` needs to see changes in code that runs when a scale is imported."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib.util import find_spec, module_from_spec

import pytest

from grading.engine.scale import Scale

UNDER_TEST = "MUTANT_UNDER_TEST"
"""The variable in which the tool names the change that it tries; "stats" asks what tests run."""
MADE: set[str] = set()


def scales_made_again() -> Iterator[tuple[Scale, Scale]]:
    """Yield each published scale, and the same made anew by the code of its module."""
    for name in [name for name in sys.modules if name.startswith("grading.engine.systems.")]:
        spec = find_spec(name)
        if spec is None or spec.loader is None:
            raise ImportError(name)
        anew = module_from_spec(spec)
        spec.loader.exec_module(anew)
        for key, scale in vars(anew).items():
            if isinstance(scale, Scale):
                yield getattr(sys.modules[name], key), scale


@pytest.fixture(autouse=True)
def scales_of_the_mutant(request: pytest.FixtureRequest) -> None:
    """Make the scales anew, once for a change, and for each test where it is asked what runs."""
    mutant = os.environ.get(UNDER_TEST, "")
    if not mutant or mutant in MADE or not request.path.name.startswith("test_scale"):
        return
    for scale, anew in scales_made_again():
        scale.__dict__.update(anew.__dict__)
    MADE.update({mutant} - {"stats"})
