"""Decide what of a document of another system is charted, what is held and what is remarked.

A database writer calls ``convert`` inside the transaction that holds the lock of the course, with
a ``Context`` of what the course then has, and

* records ``entries`` as one act in their order, under the ids that they have; their
  ``recorded_at`` is the reception and may be left to the database's clock;
* stores ``keys`` (with ``state`` and ``statement``, which is JSON) with the message, and passes all
  of them as ``Context.known`` to the next call, in the order in which they were stored;
* stores ``held``, each with the ``key`` and ``version`` of its source, and closes earlier items of
  the course and system that have one of ``closed_keys`` and are not decided.

Nothing else is remembered from one message to the next.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from patients.exchange.formats.context import Context
from patients.exchange.formats.converted import Converted
from patients.exchange.formats.received import Document


def convert(document: Document, context: Context, received_at: datetime) -> Converted:
    """Return what becomes of ``document``, received at ``received_at``."""
    raise NotImplementedError


def context_after(context: Context, converted: Converted) -> Context:
    """Return the context that the next message of the same system meets."""
    entries = [*context.course["entries"], *converted.entries]
    return replace(
        context,
        course={**context.course, "entries": entries},
        known=(*context.known, *converted.keys),
        own_entries=context.own_entries | {str(entry["id"]) for entry in converted.entries},
    )
