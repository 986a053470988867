"""A model made of the columns of a row, as ``Model.from_db`` makes it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import connection, models
from django.db.models.base import ModelState

_M = TypeVar("_M", bound=models.Model)


def model_of_row(model: type[_M], names: Iterable[str], values: Iterable[Any]) -> _M:
    """Return the ``model`` that has ``values`` as its attributes ``names``, all of its columns.

    ``Model.__init__`` is not called: it sends two signals, to which nobody listens, and sets each
    attribute by itself.
    """
    made = model.__new__(model)
    state = ModelState()
    state.adding, state.db = False, connection.alias
    vars(made).update(zip(names, values, strict=True), _state=state)
    return made
