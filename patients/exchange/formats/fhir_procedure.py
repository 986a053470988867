"""Read a FHIR R4 Procedure that gives oxygen by a device of the table; all others are passed."""

from __future__ import annotations

from typing import Final

from patients.exchange.formats.code_rows import Kind
from patients.exchange.formats.codes import meaning_of, unclear_device
from patients.exchange.formats.context import Context
from patients.exchange.formats.fhir_bundle import Item
from patients.exchange.formats.fhir_modifiers import reason_not_to_read
from patients.exchange.formats.fhir_results import Head, Results, head_of
from patients.exchange.formats.fhir_sent import with_what_was_sent
from patients.exchange.formats.fhir_times import infusion_time, time_or_reason
from patients.exchange.formats.fhir_tree import Tree, an_object, codings, when
from patients.exchange.formats.fhir_values import device_word
from patients.exchange.formats.received import OxygenPart, Standing
from patients.exchange.formats.unreadable import UnreadableError

STANDINGS: Final[dict[str, Standing | None]] = {
    "preparation": None,
    "in-progress": Standing.FINAL,
    "not-done": None,
    "on-hold": None,
    "stopped": None,
    "completed": Standing.FINAL,
    "entered-in-error": Standing.RETRACTED,
    "unknown": Standing.PRELIMINARY,
}
"""FHIR R4 value set event-status; None: the device is not in use."""
_PERFORMED: Final = frozenset({"DateTime", "Period", "String", "Age", "Range"})


def read_procedure(item: Item, context: Context, results: Results) -> None:
    """Collect the oxygen device of a Procedure; never raises."""
    node = item.resource
    try:
        if not _is_about_oxygen(node, context):
            return
        head = head_of(node, item.place, STANDINGS)
        _check(node)
    except UnreadableError as error:
        results.hold(with_what_was_sent(error, node), item.place)
        return
    not_read = reason_not_to_read(item.modifier, item.doubt)
    if not_read is not None:
        not_read = with_what_was_sent(not_read, node)
        at, _ = time_or_reason(node, "performed", _PERFORMED, context)
        results.hold(not_read, item.place, head, at)
    elif head.standing is None:
        results.remark("status.not_done", item.place)
    else:
        _read(node, head, context, results)


def _is_about_oxygen(node: Tree, context: Context) -> bool:
    try:
        codes = codings(an_object(node, "code"))
        meaning = meaning_of(codes, context.local_codes)
    except UnreadableError as error:
        return error.reason == "code.conflict"
    is_device = meaning is not None and meaning.kind is Kind.DEVICE
    return is_device or unclear_device(codes) is not None


def _check(node: Tree) -> None:
    try:
        when(node, "performed", _PERFORMED)
    except UnreadableError as error:
        if error.reason == "invalid":
            raise


def _read(node: Tree, head: Head, context: Context, results: Results) -> None:
    at, untimed = time_or_reason(node, "performed", _PERFORMED, context)
    try:
        device = device_word(an_object(node, "code"), at, context)
        if untimed is not None and not head.is_retracted:
            raise untimed
        results.state(head, at or infusion_time(context), OxygenPart(device))
    except UnreadableError as error:
        if head.is_retracted:
            results.state(head, at or infusion_time(context), None)
        else:
            results.hold(with_what_was_sent(error, node), head.place, head, at)
