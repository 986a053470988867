"""A Bundle, or a single resource, as a list of resources with their places and references.

What makes a Bundle as a whole unusable is refused here (FHIR R4 bdl-7 among it).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from patients.exchange.formats.exact_json import Exact
from patients.exchange.formats.fhir_modifiers import modifier_of, own_modifier_of
from patients.exchange.formats.fhir_resource_types import RESOURCE_TYPES
from patients.exchange.formats.fhir_tree import NOTHING, Tree
from patients.exchange.formats.received import RefusedDocumentError

BUNDLE_TYPES: Final = frozenset({"collection", "batch", "transaction", "message"})
TRANSACTION: Final = "transaction"
_STORES: Final = ("POST", "PUT")
"""Methods of ``Bundle.entry.request`` (FHIR R4 http-verb) that are read."""


@dataclass(frozen=True, slots=True)
class Item:
    """A resource of a Bundle; ``resource`` is empty where the entry has none.

    ``modifier`` names what may change its meaning and is not known here: of its own, of its entry
    or of its Bundle. Such a resource is not processed. ``is_stated``: its entry asks for nothing
    but that it be stored; a DELETE or a GET says something else. ``doubt`` says why its patient may
    be another one (``fhir_patient.doubtful``).
    """

    place: str
    full_url: str
    resource: Tree
    modifier: str = ""
    is_stated: bool = True
    doubt: str = ""
    contained: Mapping[str, Tree] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "contained", _by_reference(_contained(self.resource)))
        object.__setattr__(self, "modifier", self.modifier or modifier_of(self.resource))

    @property
    def type(self) -> str:
        return _text(self.resource, "resourceType")


def _type_and_id(resource: Tree) -> str:
    resource_id = _text(resource, "id")
    return f"{_text(resource, 'resourceType')}/{resource_id}" if resource_id else ""


def _contained(resource: Tree) -> Iterator[tuple[str, Tree]]:
    """Give each contained resource with the reference that leads to it: ``#bag``."""
    listed = resource.get("contained")
    for found in listed if isinstance(listed, list) else ():
        if isinstance(found, Mapping):
            yield f"#{_text(found, 'id')}", found


def _by_reference(found: Iterable[tuple[str, Tree]]) -> dict[str, Tree]:
    """Return resources by reference; of two with the same, the first."""
    resources: dict[str, Tree] = {}
    for reference, resource in found:
        resources.setdefault(reference, resource)
    return resources


@dataclass(frozen=True, slots=True)
class Bundle:
    items: tuple[Item, ...]
    is_transaction: bool = False
    resources: Mapping[str, Tree] = field(init=False)

    def __post_init__(self) -> None:
        references = (
            (reference, item.resource)
            for item in self.items
            for reference in (item.full_url, _type_and_id(item.resource))
        )
        object.__setattr__(self, "resources", _by_reference(references))

    def resolve(self, reference: str, item: Item) -> Tree | None:
        """Return the resource that ``item`` refers to, None where the Bundle has none.

        By ``#id`` among its own contained resources, by fullUrl, or by type and id.
        """
        if reference.startswith("#"):
            return item.contained.get(reference)
        plain = reference.partition("/_history/")[0]
        return self.resources.get(plain) if plain else None


def open_bundle(tree: Any) -> Bundle:
    """Return the resources of a Bundle or of a single resource.

    Raises RefusedDocumentError for what is neither, another type of Bundle, a fullUrl twice, and
    two different resources of one type, id and version.
    """
    kind = _text(tree, "resourceType") if isinstance(tree, Mapping) else ""
    if kind == "Bundle":
        items = tuple(_items(tree))
        _check_full_urls(items)
        _check_versions(items)
        return Bundle(items, tree["type"] == TRANSACTION)
    if kind not in RESOURCE_TYPES:
        raise RefusedDocumentError(
            "structure", "resourceType", "expected a Bundle or a resource of FHIR R4"
        )
    return Bundle((Item(kind, "", tree),))


def _items(bundle: Tree) -> Iterator[Item]:
    if _text(bundle, "type") not in BUNDLE_TYPES:
        expected = ", ".join(sorted(BUNDLE_TYPES))
        raise RefusedDocumentError("structure", "Bundle.type", f"expected one of {expected}")
    entries = bundle.get("entry")
    if not isinstance(entries, list | None):
        raise RefusedDocumentError("structure", "Bundle.entry", "expected a list")
    of_all = own_modifier_of(bundle)
    for index, entry in enumerate(entries or ()):
        words = entry if isinstance(entry, Mapping) else NOTHING
        around = {key: value for key, value in words.items() if key != "resource"}
        resource = words.get("resource")
        yield Item(
            f"entry[{index}].resource",
            _text(words, "fullUrl"),
            resource if isinstance(resource, Mapping) else NOTHING,
            of_all or modifier_of(around),
            _is_stated(words.get("request")),
        )


def _is_stated(request: Any) -> bool:
    """Return whether a request of an entry stores its resource; one without a request does."""
    return not isinstance(request, Mapping) or request.get("method", "POST") in _STORES


def _check_full_urls(items: tuple[Item, ...]) -> None:
    seen: set[tuple[str, str]] = set()
    for item in items:
        key = (item.full_url, version_of(item.resource))
        if item.full_url and key in seen:
            place = item.place.replace(".resource", ".fullUrl")
            raise RefusedDocumentError("duplicate", place, "this fullUrl stands twice")
        seen.add(key)


def _check_versions(items: tuple[Item, ...]) -> None:
    seen: dict[tuple[str, str, str], Tree] = {}
    for item in items:
        resource_id = _text(item.resource, "id")
        key = (item.type, resource_id, version_of(item.resource))
        if resource_id and seen.setdefault(key, item.resource) != item.resource:
            raise RefusedDocumentError(
                "duplicate", item.place, "two different resources have this type, id and version"
            )


def version_of(resource: Tree) -> str:
    """Return ``meta.versionId``, "" where there is none."""
    meta = resource.get("meta")
    return _text(meta, "versionId") if isinstance(meta, Mapping) else ""


def _text(node: Tree, key: str) -> str:
    raw = node.get(key)
    return raw if isinstance(raw, str) and not isinstance(raw, Exact) else ""
