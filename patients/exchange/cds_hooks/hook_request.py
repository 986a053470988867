"""Read the request of a hook: who is looked at, and which orders are drafted.

Each part is checked for itself: a request may bring a part of what was asked for, and a page of an
error may stand where a resource should be.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from patients.exchange.cds_hooks.services import Service
from patients.exchange.formats.exact_json import Exact
from patients.exchange.formats.fhir_modifiers import modifier_of, out_of_use

Resource = Mapping[str, Any]
_LONGEST_ID: Final = 200


class RefusedRequestError(Exception):
    """The request cannot be answered; ``sentence`` names no value of the patient."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence


def bad_request(sentence: str) -> RefusedRequestError:
    """Return the refusal of a request that does not have the form of its hook."""
    return RefusedRequestError(HTTPStatus.BAD_REQUEST, sentence)


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A request that can be answered.

    ``patient`` is the FHIR Patient that the other system looks at. ``orders`` are the
    MedicationRequests that it drafts, those selected where the hook names a selection;
    ``resources`` are all resources of the draft, by each reference that can name them.
    """

    service: Service
    hook_instance: uuid.UUID
    user_id: str
    patient: Resource
    orders: Sequence[Resource] = ()
    resources: Mapping[str, Resource] | None = None


def read_hook_request(service: Service, body: Any) -> HookRequest:
    """Read the request of ``service`` from its JSON; raises RefusedRequestError."""
    words = _object(body, "The request")
    hook = words.get("hook")
    if hook != service.hook.value:
        raise bad_request(f"hook: expected {service.hook.value}.")
    context = _object(words.get("context"), "context")
    user_id = _text(context.get("userId"), "context.userId")
    patient_id = _text(context.get("patientId"), "context.patientId")
    orders: list[Resource] = []
    resources: dict[str, Resource] = {}
    if service.hook.has_orders:
        resources = _drafts(context.get("draftOrders"))
        orders = _orders(service, context, resources)
    return HookRequest(
        service,
        _instance(words.get("hookInstance")),
        user_id,
        _patient(words.get("prefetch"), patient_id),
        orders,
        resources,
    )


def _instance(value: Any) -> uuid.UUID:
    try:
        return uuid.UUID(_text(value, "hookInstance"))
    except ValueError:
        raise bad_request("hookInstance: expected a UUID.") from None


def _patient(prefetch: Any, patient_id: str) -> Resource:
    """Return the patient that was sent along; it is never fetched from here."""
    sent = prefetch.get("patient") if isinstance(prefetch, Mapping) else None
    if not isinstance(sent, Mapping) or sent.get("resourceType") != "Patient":
        raise RefusedRequestError(
            HTTPStatus.PRECONDITION_FAILED, "prefetch.patient: a Patient resource is needed."
        )
    if sent.get("id") != patient_id:
        raise bad_request("prefetch.patient.id differs from context.patientId.")
    if name := modifier_of(sent):
        raise RefusedRequestError(
            HTTPStatus.PRECONDITION_FAILED, f"prefetch.patient: its {name} is not known here."
        )
    if why := out_of_use(sent):
        raise RefusedRequestError(HTTPStatus.PRECONDITION_FAILED, f"prefetch.patient: {why}.")
    return sent


def _drafts(bundle: Any) -> dict[str, Resource]:
    """Return the resources of the draft by ``fullUrl`` and by ``type/id``."""
    if not isinstance(bundle, Mapping) or bundle.get("resourceType") != "Bundle":
        raise bad_request("context.draftOrders: a Bundle is needed.")
    entries = bundle.get("entry", [])
    if not isinstance(entries, list):
        raise bad_request("context.draftOrders.entry: expected a list.")
    found: dict[str, Resource] = {}
    for index, entry in enumerate(entries):
        resource = entry.get("resource") if isinstance(entry, Mapping) else None
        if not isinstance(resource, Mapping) or not isinstance(resource.get("resourceType"), str):
            raise bad_request(f"context.draftOrders.entry[{index}]: a resource is needed.")
        names = [entry.get("fullUrl"), f"{resource['resourceType']}/{resource.get('id', index)}"]
        found |= {name: resource for name in names if isinstance(name, str)}
    return found


def _orders(
    service: Service, context: Mapping[str, Any], resources: Mapping[str, Resource]
) -> list[Resource]:
    named: Sequence[str] = list(resources)
    if "selections" in context or service.hook.value == "order-select":
        named = context.get("selections", [])
        if not isinstance(named, list) or not named:
            raise bad_request("context.selections: a list of references is needed.")
        named = [_text(name, f"context.selections[{at}]") for at, name in enumerate(named)]
    orders: list[Resource] = []
    for name in named:
        resource = resources.get(name)
        if resource is not None and resource["resourceType"] == "MedicationRequest":
            orders += [resource] if all(resource is not one for one in orders) else []
    return orders


def _object(value: Any, name: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise bad_request(f"{name}: a JSON object is needed.")
    return value


def _text(value: Any, name: str) -> str:
    is_text = isinstance(value, str) and not isinstance(value, Exact)
    if not is_text or not value or len(value) > _LONGEST_ID or "\0" in value:
        raise bad_request(f"{name}: a text is needed.")
    return str(value)
