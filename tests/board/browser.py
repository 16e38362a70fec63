"""A real browser on a real TensorBoard, and a small way to speak of the Traces tab.

Skipped where Playwright or Chromium is missing, unless `TBTRACE_BROWSER=required` is set.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

REQUIRED = os.environ.get("TBTRACE_BROWSER") == "required"
CHROMIUM = shutil.which("chromium") or "/usr/bin/chromium"
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# TensorBoard's own page says the first in every browser; below a path it misses its font, and by
# itself our page has no icon.
_FOREIGN = re.compile("Multiple instances of Three.js|/font-roboto/|/favicon.ico")

_LEAVE_AND_RETURN = """for (const value of ["hidden", "visible"]) {
    Object.defineProperty(document, "visibilityState", {value, configurable: true});
    document.dispatchEvent(new Event("visibilitychange"));
}"""


@contextmanager
def chromium() -> Iterator[Any]:
    """Runs the browser, with a fresh profile."""
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        _missing("playwright is not installed")
    if not os.path.exists(CHROMIUM):
        _missing(f"there is no {CHROMIUM}")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=OPTIONS, timeout=180_000
        )
        yield browser
        browser.close()


def _missing(what: str) -> None:
    if REQUIRED:
        pytest.fail(f"{what}, and TBTRACE_BROWSER=required is set")
    pytest.skip(what)


@dataclass
class Tab:
    """The Traces tab in one page of the browser.

    Attributes:
        page: Playwright's page: TensorBoard.
        url: The server's, with a slash at the end.
        errors: What the consoles said that nobody expected.
        alone: Whether the tab is open by itself, without TensorBoard round it.
    """

    page: Any
    url: str
    errors: list[str] = field(default_factory=list)
    alone: bool = False

    def __post_init__(self) -> None:
        self.page.set_default_timeout(60_000)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", self._hear)

    def _hear(self, message: Any) -> None:
        said = f"{message.text} ({message.location.get('url')})"
        if message.type in ("error", "warning") and not _FOREIGN.search(said):
            self.errors.append(said)

    def open(self, address: str = "") -> Tab:
        """Opens the tab, anew if need be; `address` are more keys of the hash, `&p.tbtrace.k=v`.

        TensorBoard itself takes long to start; where it is there already, only the tab is loaded.
        """
        if self.alone:
            self.page.goto(f"{self.url}data/plugin_entry.html?name=tbtrace#{address}")
        elif not self.page.url.startswith(self.url):
            self.page.goto(f"{self.url}#tbtrace{address}")
        else:
            # The tab that is left may be about to write its own address.
            inside, url = self.inside, self.inside.url
            inside.goto("about:blank")
            write = "(hash) => history.replaceState(history.state, '', hash)"
            self.page.evaluate(write, f"#tbtrace{address}")
            inside.goto(url)
        return self

    @property
    def frame(self) -> Any:
        return self.page if self.alone else self.page.frame_locator("iframe[src*='name=tbtrace']")

    @property
    def inside(self) -> Any:
        """The iframe itself, to run JavaScript in."""
        if self.alone:
            return self.page.main_frame
        self.page.wait_for_selector("iframe[src*='name=tbtrace']", state="attached")
        return next(frame for frame in self.page.frames if "name=tbtrace" in frame.url)

    def caption(self, *parts: str) -> None:
        """Waits until the line above the stage says all of these, and the picture is there."""
        for part in parts:
            self.frame.locator(".caption", has_text=part).wait_for()
        self.frame.locator(".stage:not(.busy)").wait_for()
        self.frame.locator(".message").wait_for(state="hidden")

    def button(self, name: str) -> Any:
        return self.frame.get_by_role("button", name=name, exact=True)

    def message(self, text: str) -> Any:
        found = self.frame.locator(".message", has_text=text)
        found.wait_for()
        return found

    def news(self, text: str) -> None:
        """Waits for a text as somebody does who comes back to the tab again and again."""
        said = self.frame.get_by_text(text)
        for _ in range(60):
            self.inside.evaluate(_LEAVE_AND_RETURN)
            self.page.wait_for_timeout(250)
            if said.first.is_visible():
                return
        said.wait_for()

    def addressed(self, *parts: str) -> None:
        """Waits until the address says all of these."""
        for part in parts:
            self.page.wait_for_function("(part) => location.hash.includes(part)", arg=part)

    def address(self) -> dict[str, str]:
        """Returns our keys of the address, once it is written."""
        # By a timer of the page's own: one that runs out later than those that write.
        self.inside.evaluate("new Promise((resolve) => setTimeout(resolve, 600))")
        hash_ = self.page.evaluate("location.hash")
        return dict(re.findall(r"p\.tbtrace\.(\w+)=([^&]*)", hash_))

    def resize(self, width: int, height: int) -> None:
        """Makes the window another size; returns once the page has it."""
        self.page.set_viewport_size({"width": width, "height": height})
        size = "([width, height]) => innerWidth === width && innerHeight === height"
        self.page.wait_for_function(size, arg=[width, height])

    def pixels(self) -> Any:
        """Returns a text that is another one whenever the stage shows something else."""
        # What has changed is laid out in the first frame, painted in the second.
        return self.inside.evaluate(
            """(async () => {
                for (let i = 0; i < 3; i++) await new Promise(requestAnimationFrame);
                return document.querySelector(".stage canvas").toDataURL();
            })()"""
        )

    def shown(self, iteration: int) -> float:
        """Waits for the picture of an iteration; returns when it was there, in ms of the page."""
        entry = "performance.getEntriesByName('tbtrace-shown')[0]"
        self.inside.wait_for_function(f"{entry}?.detail === {iteration}")
        return float(self.inside.evaluate(f"{entry}.startTime"))
