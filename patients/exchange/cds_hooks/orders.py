"""The drafted orders that concern CRS: which agent, and which dose in mg."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from grading.engine.units import NotANumberError, exact_decimal
from grading.engine.vocabulary import TreatmentAgent
from patients.exchange.cds_hooks.hook_request import HookRequest, Resource
from patients.exchange.formats.code_rows import UCUM, Kind
from patients.exchange.formats.codes import meaning_of
from patients.exchange.formats.exact_json import Exact
from patients.exchange.formats.fhir_modifiers import modifier_of
from patients.exchange.formats.unreadable import UnreadableError

IMMUNOSUPPRESSION: Final = frozenset(
    {
        TreatmentAgent.TOCILIZUMAB,
        TreatmentAgent.SILTUXIMAB,
        TreatmentAgent.ANAKINRA,
        TreatmentAgent.ETANERCEPT,
        TreatmentAgent.INFLIXIMAB,
        TreatmentAgent.METHYLPREDNISOLONE,
        TreatmentAgent.DEXAMETHASONE,
        TreatmentAgent.HYDROCORTISONE,
    }
)
_NOT_TO_BE_GIVEN: Final = frozenset({"cancelled", "stopped", "entered-in-error"})
"""Status of a MedicationRequest (FHIR R4) that asks for no dose."""
_MG: Final = "mg"


class Order(NamedTuple):
    """A drafted order of an agent; ``dose_mg`` is None where it is not one dose in mg."""

    agent: TreatmentAgent
    dose_mg: Decimal | None


def orders_of(request: HookRequest) -> list[Order]:
    """Return the drafted orders that concern CRS, in the order of the draft.

    An order that forbids a drug (``doNotPerform``) or takes one back is none of them, nor is one
    with a modifier that is not known here.
    """
    found: list[Order] = []
    for order in request.orders:
        if order.get("doNotPerform") is True or order.get("status") in _NOT_TO_BE_GIVEN:
            continue
        if modifier_of(order):
            continue
        agent = _agent(order, request.resources or {})
        if agent in IMMUNOSUPPRESSION:
            found.append(Order(agent, _dose_mg(order)))
    return found


def _agent(order: Resource, resources: Mapping[str, Resource]) -> TreatmentAgent | None:
    """Return the agent of an order; None where its codings name none, or more than one."""
    concept = order.get("medicationCodeableConcept")
    if concept is None:
        concept = _medication(order, resources).get("code")
    codings = _mappings(concept.get("coding")) if isinstance(concept, Mapping) else ()
    try:
        meaning = meaning_of(
            [(_text(one.get("system")), _text(one.get("code"))) for one in codings]
        )
    except UnreadableError:
        return None
    if meaning is None or meaning.kind is not Kind.AGENT:
        return None
    return TreatmentAgent(meaning.word)


def _medication(order: Resource, resources: Mapping[str, Resource]) -> Resource:
    """Return the medication that an order refers to, inside the draft alone."""
    reference = order.get("medicationReference")
    name = reference.get("reference") if isinstance(reference, Mapping) else None
    if not isinstance(name, str):
        return {}
    if not name.startswith("#"):
        found = resources.get(name, {})
        return {} if modifier_of(found) else found
    contained = order.get("contained")
    for one in contained if isinstance(contained, list) else []:
        if isinstance(one, Mapping) and one.get("id") == name[1:]:
            return one
    return {}


def _dose_mg(order: Resource) -> Decimal | None:
    """Return the dose where the order names exactly one, in mg."""
    quantities = list(_dose_quantities(order.get("dosageInstruction")))
    if len(quantities) != 1:
        return None
    (quantity,) = quantities
    is_ucum = quantity.get("system") == UCUM and quantity.get("code") == _MG
    is_text = quantity.get("code") is None and quantity.get("unit") == _MG
    value = quantity.get("value")
    if not (is_ucum or is_text) or not isinstance(value, Exact):
        return None
    try:
        return exact_decimal(value)
    except NotANumberError:
        return None


def _dose_quantities(instructions: Any) -> Iterator[Mapping[str, Any]]:
    for instruction in _mappings(instructions):
        for rate in _mappings(instruction.get("doseAndRate")):
            if isinstance(quantity := rate.get("doseQuantity"), Mapping):
                yield quantity


def _mappings(value: Any) -> Sequence[Mapping[str, Any]]:
    return [one for one in value if isinstance(one, Mapping)] if isinstance(value, list) else []


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""
