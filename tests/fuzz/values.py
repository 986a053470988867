"""What nobody types by intention: values of fields, queries, headers and bodies."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import Final

from django.utils import timezone

NUMBERS: Final = (
    "0",
    "-0",
    "-1",
    "1",
    "1.",
    ".5",
    "00038.5",
    "38.5",
    "38,5",
    "1 000",
    "1e5",
    "1E400",
    "1e-400",
    "NaN",
    "sNaN",
    "Infinity",
    "-Infinity",
    "0x10",
    "1_000",
    "1/2",
    "<5",
    ">5",
    "+5",
    "\u0663\u0668",
    "\uff13\uff18",
    "\u00b2",
    "9" * 400,
    "0." + "1" * 5000,
    "2147483648",
    "9223372036854775808",
    "true",
)
TIMES: Final = (
    "0001-01-01",
    "9999-12-31",
    "1899-12-31",
    "1900-01-01",
    "2200-01-01",
    "2026-02-30",
    "0000-00-00",
    "11/28/2026",
    "28 Nov 2026",
    "00:00",
    "23:59",
    "24:00",
    "99:99",
    "2:5",
    "13:05:59.999999",
    "0001-01-01T00:00:00Z",
    "0001-01-01T00:00:00+23:59",
    "9999-12-31T23:59:59-23:59",
    "9999-12-31T23:59:59.999999Z",
    "1970-01-01T00:00:00+14:00",
    "2026-11-28T19:02",
    "yesterday",
    "2026-13-45T99:99Z",
    "-2026-11-28",
    "20261128T190200Z",
    "0",
    "1e18",
)
SCRIPT: Final = "<script>alert(1)</script>"
TAG: Final = "<x-typed>"
"""A tag that no page has: where it stands on one as it was typed, markup could."""
TEXTS: Final = (
    "",
    " ",
    "\x00",
    "a\x00b",
    "\ud800",
    "\udfff\ud800",
    "\u202eDOE",
    "\u2066x",
    "\ufeff",
    "\u200b",
    "\u2028",
    "\n\r\t",
    "\x1b[31m",
    "\x7f",
    "\x85",
    "e\u0301",
    "\U0001f3e5" * 40,
    "A" * 300,
    "z" * 20_000,
    SCRIPT,
    "{{ 7*7 }}",
    "%s%n",
    "' OR 1=1 --",
    "\\",
    "=1+1",
    "../../etc",
    "null",
    "undefined",
    "[]",
    "{}",
    '{"a":',
    "on",
    "yes",
    "no",
    "crs",
    "other",
    "confirmed",
    "preview",
    "confirm",
    "edit",
    "00000000-0000-0000-0000-000000000000",
    "urn:uuid:",
    "%",
    "%ff",
    "&",
    ";",
)
WRONG_TYPES: Final = (
    "application/x-www-form-urlencoded; charset=utf-7",
    "text/plain; charset=zlib",
    "\xff",
    "application/x-www-form-urlencoded; charset=undefined",
    "application/json",
    "multipart/form-data",
    'multipart/form-data; boundary="x"',
    "text/html",
    "; ; charset",
    "application/xml; charset=idna",
)
HEADERS: Final = (
    "HTTP_HX_REQUEST",
    "HTTP_HX_TARGET",
    "HTTP_HX_CURRENT_URL",
    "HTTP_HX_TRIGGER",
    "HTTP_HX_PROMPT",
    "HTTP_HX_BOOSTED",
    "HTTP_HX_TRIGGERING_EVENT",
    "HTTP_CRS_SHOWN",
    "HTTP_IF_NONE_MATCH",
    "HTTP_IF_MODIFIED_SINCE",
    "HTTP_ACCEPT",
    "HTTP_ACCEPT_LANGUAGE",
    "HTTP_COOKIE",
    "HTTP_ORIGIN",
    "HTTP_REFERER",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_CSRFTOKEN",
    "HTTP_USER_AGENT",
    "HTTP_RANGE",
    "HTTP_X_HTTP_METHOD_OVERRIDE",
    "HTTP_HOST",
)


def nasty(dice: random.Random, seen: list[str]) -> str:
    """Return a value that a field should not have; ``seen`` are values of other fields."""
    if seen and dice.random() < 0.15:
        return dice.choice(seen)
    if dice.random() < 0.1:
        shift = timedelta(minutes=dice.choice((-3000, -90, -1, 0, 3, 10, 525_600)))
        moved = timezone.localtime() + shift
        return moved.strftime(dice.choice(("%H:%M", "%Y-%m-%d", "%Y-%m-%dT%H:%M:%S%z")))
    return dice.choice(dice.choice((NUMBERS, TIMES, TEXTS)))


def as_header(value: str) -> str:
    """Return ``value`` as a header of WSGI can hold it: bytes as Latin-1, one line."""
    sent = value.encode("utf-8", "surrogatepass").decode("latin-1")[:4000]
    return "".join(" " if letter in "\r\n\x00" else letter for letter in sent)
