"""Headless Chromium for tests, driven by its own protocol through a pipe, so no other package is needed.

Browser     open a page at a width, in light or dark; ask it for values, a picture, a PDF; what it complained about
found       the path of Chromium or Chrome, or None: tests then skip, with this reason
"""

import base64
import contextlib
import json
import os
import shutil
import subprocess
import tempfile

NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")


def found():
    return next((path for name in NAMES if (path := shutil.which(name))), None)


class Browser:
    """with Browser() as browser: browser.open(path, 390, dark=True); browser.ask("document.title")

    complaints: errors of the page's console.   requests: addresses that a page asked for, other than data: and its own."""

    def __enter__(self):
        to_browser, from_browser = os.pipe(), os.pipe()
        self.folder = tempfile.mkdtemp()
        switches = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", "--no-first-run"]

        def hand_over():  # Chromium reads commands from file 3 and answers on file 4; high numbers first, lest one is 3 or 4
            read, write = (os.dup2(end, number) for end, number in ((to_browser[0], 100), (from_browser[1], 101)))
            os.dup2(read, 3), os.dup2(write, 4)

        self.process = subprocess.Popen(
            [found(), *switches, f"--user-data-dir={self.folder}", "about:blank"],
            preexec_fn=hand_over,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser[0]), os.close(from_browser[1])
        self.out, self.back = os.fdopen(to_browser[1], "wb", 0), os.fdopen(from_browser[0], "rb", 0)
        self.number, self.rest, self.session = 0, b"", None
        self.complaints, self.requests, self.loaded = [], [], False
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")
        return self

    def __exit__(self, *error):
        with contextlib.suppress(OSError):
            self.out.write(json.dumps({"id": 10**6, "method": "Browser.close"}).encode() + b"\0")
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.out.close(), self.back.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def call(self, method, **params):
        """Send a command and return its result."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": params}
        self.out.write(json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise RuntimeError(f"{method}: {answer['error']}")
                return answer["result"]

    def _next(self):
        while b"\0" not in self.rest:
            data = self.back.read(1 << 16)
            if not data:
                raise RuntimeError("Chromium has gone")
            self.rest += data
        text, self.rest = self.rest.split(b"\0", 1)
        message = json.loads(text)
        method, params = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self.loaded = True
        elif method == "Network.requestWillBeSent" and not params["request"]["url"].startswith(("data:", "about:")):
            self.requests.append(params["request"]["url"])
        elif method == "Runtime.exceptionThrown" or (
            method == "Runtime.consoleAPICalled" and params["type"] in ("error", "warning")
        ):
            self.complaints.append(params)
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("error", "warning"):
            self.complaints.append(params["entry"])
        return message

    def open(self, path, width=1280, dark=False, height=900):
        """Load a file at this width.   Afterwards `requests` holds only addresses other than the file's own."""
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.loaded, address = False, path.resolve().as_uri()
        self.call("Page.navigate", url=address)
        while not self.loaded:
            self._next()
        self.requests = [url for url in self.requests if url != address]

    def ask(self, expression):
        """The value of a JavaScript expression."""
        result = self.call("Runtime.evaluate", expression=expression, returnByValue=True)["result"]
        return result.get("value")

    def picture(self, path):
        """Write the whole page as a .png."""
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
        data = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)["data"]
        path.write_bytes(base64.b64decode(data))

    def pdf(self, path):
        """Print the page, on A4."""
        data = self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=True)["data"]
        path.write_bytes(base64.b64decode(data))
