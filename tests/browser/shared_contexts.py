"""Contexts of Chromium that the tests of a process share, emptied after each.

A new context has nothing in its cache, so that its first page fetches and compiles every script
and style sheet again: as much work as the rest of a short test.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from playwright.sync_api import Browser, BrowserContext, CDPSession

FOR_AXE = {"bypass_csp": True, "reduced_motion": "reduce"}
"""Lets axe-core in past the page's own policy; nothing fades, so colours are final."""
MOVING = {"reduced_motion": "no-preference"}
"""Plays the animations: that of a new row alone is five seconds of frames to draw."""

# Playwright's page.clock replaces the clock of every page of a context, and cannot take it back.
_CLOCK_IS_REPLACED = "'__pwClock' in globalThis"
_WHAT_A_SITE_STORES = "cookies,local_storage,indexeddb,service_workers,cache_storage"


class SharedContexts:
    """Lends a context for each set of options; with what a new one has, but for its cache."""

    def __init__(self, browser: Browser, base_url: str) -> None:
        self._browser, self._base_url = browser, base_url
        self._free: dict[str, tuple[BrowserContext, CDPSession]] = {}

    @contextmanager
    def lend(self, **options: Any) -> Iterator[BrowserContext]:
        """Yield a context without pages, cookies or stored data; ``options`` are Playwright's."""
        key = repr(sorted(options.items()))
        context, storage = self._free.pop(key, None) or self._new(options)
        context.set_default_timeout(5_000)
        context.set_default_navigation_timeout(20_000)  # the first request of a process is slow
        try:
            yield context
        except BaseException:
            context.close()
            raise
        if context.pages[0].evaluate(_CLOCK_IS_REPLACED):
            context.close()
        else:
            self._empty(context, storage)
            self._free[key] = context, storage

    def _new(self, options: dict[str, Any]) -> tuple[BrowserContext, CDPSession]:
        """Make a context whose first page stays blank, for the commands that empty it."""
        # Under a service worker, page.route does not see what a page asks for. Animations take a
        # tenth of the time of a test that charts, so only MOVING has them.
        options = {
            "base_url": self._base_url,
            "service_workers": "block",
            "reduced_motion": "reduce",
            **options,
        }
        context = self._browser.new_context(**options)
        return context, context.new_cdp_session(context.new_page())

    def _empty(self, context: BrowserContext, storage: CDPSession) -> None:
        _blank, *opened = context.pages
        for page in opened:
            page.close()
        context.set_offline(False)
        context.unroute_all()
        context.clear_permissions()
        context.clear_cookies()
        what = {"origin": self._base_url, "storageTypes": _WHAT_A_SITE_STORES}
        storage.send("Storage.clearDataForOrigin", what)
