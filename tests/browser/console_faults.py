"""What pages log as errors or throw, in every context of a browser."""

import re
from collections.abc import Callable

from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, WebError

# Chromium and htmx log each refusal, and each request without an answer: those are what a test is
# about, but for a file of the site that is missing.
BROUGHT_ABOUT = re.compile(
    r"Failed to load resource: |Response Status Error Code "
    r"|htmx:(afterRequest|sendError|sendAbort|timeout)\b"
)


class ConsoleFaults:
    """Collects the faults of the test that runs."""

    def __init__(self) -> None:
        self._seen: list[str] = []

    def watch(self, browser: Browser) -> None:
        """Listen to every context that ``browser`` will make."""
        make: Callable[..., BrowserContext] = browser.new_context

        def new_context(**options: object) -> BrowserContext:
            context = make(**options)
            context.on("console", self._note_message)
            context.on("weberror", self._note_exception)
            return context

        browser.new_context = new_context  # type: ignore[method-assign]

    def _note_message(self, message: ConsoleMessage) -> None:
        address = message.location.get("url", "")
        is_file = " status of " in message.text and "/static/" in address
        is_brought_about = BROUGHT_ABOUT.match(message.text) and not is_file
        if message.type == "error" and not is_brought_about:
            self._seen.append(f"{message.text} ({address})")

    def _note_exception(self, fault: WebError) -> None:
        self._seen.append(f"uncaught: {fault.error}")

    def take(self) -> list[str]:
        """Return what was seen since the last time."""
        seen, self._seen = self._seen, []
        return seen
