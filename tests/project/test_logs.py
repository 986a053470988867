"""The log has the place of a failure, and no data of a patient."""

import logging
import sys

from crs_app.logs import WithoutValues


def logged(error: BaseException) -> str:
    record = logging.LogRecord(
        "django.request", logging.ERROR, __file__, 1, "500: %s", ("/courses/",), None
    )
    try:
        raise error
    except BaseException:
        record.exc_info = sys.exc_info()
    return WithoutValues("{message}", style="{").format(record)


def test_the_kind_and_the_place_are_logged_and_the_message_is_not() -> None:
    text = logged(ValueError("MRN 4711, Jane Doe"))
    assert text.startswith("500: /courses/\n")
    assert __file__ in text
    assert text.endswith("builtins.ValueError")
    assert "Doe" not in text


def test_nor_is_that_of_what_led_to_it() -> None:
    caused = ValueError("outer Doe")
    caused.__cause__ = KeyError("inner Doe")
    text = logged(caused)
    assert "builtins.KeyError" in text
    assert "Doe" not in text


def test_a_suppressed_error_stays_suppressed() -> None:
    outer = ValueError()
    outer.__context__ = KeyError()
    assert "KeyError" in logged(outer)
    outer.__suppress_context__ = True
    assert "KeyError" not in logged(outer)
