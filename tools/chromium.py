"""A headless Chromium for tests and pictures, driven over a pipe with the DevTools protocol.

No packages: the browser reads JSON messages from one pipe and writes them to another.
"""

from __future__ import annotations

import base64
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
VARIABLE = "TINYGRAPH_CHROMIUM"
REQUIRED = "TINYGRAPH_REQUIRE_BROWSER"
INSTALL = "apt-get install chromium (Debian, Ubuntu), or name a Chromium with TINYGRAPH_CHROMIUM"
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--no-default-browser-check", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage", "--hide-scrollbars", "--force-color-profile=srgb",
    "--disable-features=IsolateSandboxedIframes", "--remote-debugging-pipe",
)  # fmt: skip
KEYS = {
    "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40, "Home": 36, "End": 35,
    " ": 32, "Enter": 13, "Escape": 27, "Tab": 9,
}  # fmt: skip


def find_browser() -> str | None:
    """Return the Chromium to use, None if there is none."""
    return next(filter(None, map(shutil.which, [os.environ.get(VARIABLE, ""), *NAMES])), None)


class BrowserError(Exception):
    """The browser answered with an error, or not at all."""


class Browser:
    """One browser with one page.

    Attributes
    ----------
    problems : list of str
        Uncaught exceptions, console errors and warnings, violations of the content policy.
    requests : list of str
        The URL of every request but the page's own.
    """

    def __init__(self, profile: Path, timeout: float = 20.0) -> None:
        program = find_browser()
        if program is None:
            raise BrowserError(f"There is no Chromium. Fix: {INSTALL}")
        self.timeout = timeout
        self.problems: list[str] = []
        self.requests: list[str] = []
        self._events: list[dict[str, Any]] = []
        self._number = 0
        self._rest = b""
        self._errors = (profile / "stderr").open("wb")
        to_browser, self._write = os.pipe()
        self._read, from_browser = os.pipe()
        self._process = _start(
            [program, *FLAGS, f"--user-data-dir={profile / 'data'}", "about:blank"],
            to_browser, from_browser, self._errors,
        )  # fmt: skip
        os.close(to_browser)
        os.close(from_browser)
        self._session: str | None = None
        targets = self.ask("Target.getTargets")["targetInfos"]
        page = next(t["targetId"] for t in targets if t["type"] == "page")
        attached = self.ask("Target.attachToTarget", targetId=page, flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network", "Accessibility"):
            self.ask(f"{domain}.enable")

    # ---- messages -----------------------------------------------------------------------------

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command and return its answer."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode("utf-8") + b"\0")
        number = self._number
        while True:
            answer = self._receive(method)
            if answer.get("id") == number:
                if "error" in answer:
                    raise BrowserError(f"{method}: {answer['error']['message']}")
                return answer.get("result")
            self._note(answer)

    def _receive(self, waiting_for: str) -> dict[str, Any]:
        end = time.monotonic() + self.timeout
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._read], [], [], max(0.0, end - time.monotonic()))
            chunk = os.read(self._read, 1 << 20) if ready else b""
            if not chunk:
                raise BrowserError(f"no answer to {waiting_for} within {self.timeout:g} s")
            self._rest += chunk
        message, self._rest = self._rest.split(b"\0", 1)
        return dict(json.loads(message))

    def _note(self, event: dict[str, Any]) -> None:
        method, facts = event.get("method"), event.get("params", {})
        if method == "Runtime.exceptionThrown":
            details = facts["exceptionDetails"]
            thrown = details.get("exception", {}).get("description", "")
            self.problems.append(f"{details['text']} {thrown}")
        elif method == "Runtime.consoleAPICalled" and facts["type"] in ("error", "warning"):
            self.problems.append(" ".join(str(a.get("value")) for a in facts["args"]))
        elif method == "Log.entryAdded" and facts["entry"]["level"] in ("error", "warning"):
            self.problems.append(facts["entry"]["text"])
        elif method == "Network.requestWillBeSent" and facts["type"] != "Document":
            self.requests.append(facts["request"]["url"])
        self._events.append(event)

    # ---- the page -----------------------------------------------------------------------------

    def open(self, path: Path) -> None:
        """Load a page from a file and wait until it says that it is ready."""
        self.problems.clear()
        self.requests.clear()
        self.ask("Page.navigate", url=path.resolve().as_uri())
        self.wait(lambda: self.run("document.body?.dataset.ready === 'true'"), "the page is ready")

    def run(self, script: str) -> Any:
        """Evaluate JavaScript and return its value."""
        answer = self.ask("Runtime.evaluate", expression=script, returnByValue=True,
                          awaitPromise=True)  # fmt: skip
        if "exceptionDetails" in answer:
            details = answer["exceptionDetails"]
            raise BrowserError(details.get("exception", {}).get("description", details["text"]))
        return answer["result"].get("value")

    def wait(self, condition: Callable[[], Any], what: str) -> Any:
        """Wait until a condition holds."""
        end = time.monotonic() + self.timeout
        while time.monotonic() < end:
            found = condition()
            if found:
                return found
            time.sleep(0.02)
        raise BrowserError(f"waited in vain: {what}; problems {self.problems}")

    def text(self, selector: str) -> str:
        """Return the text of an element."""
        return str(self.run(f"document.querySelector({json.dumps(selector)}).textContent"))

    def texts(self, selector: str) -> list[str]:
        """Return the texts of all elements."""
        found = f"[...document.querySelectorAll({json.dumps(selector)})].map((e) => e.textContent)"
        return list(self.run(found))

    # ---- hands --------------------------------------------------------------------------------

    def press(self, *keys: str, shift: bool = False) -> None:
        """Press keys one after the other, as a person would."""
        for key in keys:
            letter = key.upper() if len(key) == 1 and key.isalpha() else key
            code = KEYS.get(key, ord(letter) if len(letter) == 1 else 0)
            facts = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 if shift else 0}
            text = (
                {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
            )
            self.ask("Input.dispatchKeyEvent", type="keyDown", **facts, **text)
            self.ask("Input.dispatchKeyEvent", type="keyUp", **facts)

    def type(self, text: str) -> None:
        """Type a text into what has the focus."""
        self.ask("Input.insertText", text=text)

    def center(self, selector: str) -> tuple[float, float]:
        """Return where the middle of an element is seen."""
        script = (
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'nearest'}); const b = e.getBoundingClientRect();"
            "return [b.left + b.width / 2, b.top + b.height / 2]; })()"
        )
        x, y = self.run(script)
        return x, y

    def mouse(self, kind: str, x: float, y: float, **facts: Any) -> None:
        """Send one event of the mouse."""
        self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, **facts)

    def hover(self, selector: str) -> None:
        """Move the mouse onto an element."""
        self.mouse("mouseMoved", *self.center(selector))

    def click(self, selector: str) -> None:
        """Click on the middle of an element."""
        x, y = self.center(selector)
        self.mouse("mouseMoved", x, y)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, x, y, button="left", clickCount=1)

    # ---- eyes ---------------------------------------------------------------------------------

    def size(self, width: int, height: int, mobile: bool = False) -> None:
        """Set the size of the window."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=2 if mobile else 1, mobile=mobile)  # fmt: skip

    def prefer(self, **features: str) -> None:
        """Set preferences: ``prefers_color_scheme="dark"``."""
        found = [{"name": k.replace("_", "-"), "value": v} for k, v in features.items()]
        self.ask("Emulation.setEmulatedMedia", features=found)

    def screenshot(self, path: Path) -> None:
        """Save what is seen as PNG."""
        path.write_bytes(base64.b64decode(self.ask("Page.captureScreenshot")["data"]))

    def close(self) -> None:
        """End the browser that was started here."""
        self._session = None
        try:
            self.ask("Browser.close")
        except (BrowserError, OSError):
            self._process.terminate()
        for handle in (self._read, self._write):
            os.close(handle)
        try:
            self._process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._errors.close()


_LAUNCHER = """
import fcntl, os, sys
read, write = (fcntl.fcntl(int(n), fcntl.F_DUPFD, 10) for n in sys.argv[1:3])
os.dup2(read, 3)
os.dup2(write, 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


def _start(
    command: list[str], to_browser: int, from_browser: int, errors: Any
) -> subprocess.Popen[bytes]:
    """Start the browser, which reads from file 3 and writes to file 4."""
    launcher = [sys.executable, "-c", _LAUNCHER, str(to_browser), str(from_browser)]
    return subprocess.Popen(
        [*launcher, *command],
        pass_fds=(to_browser, from_browser),
        stdin=subprocess.DEVNULL,
        stdout=errors,
        stderr=errors,
    )
