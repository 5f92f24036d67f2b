"""A headless Chromium to test pages in, driven through a pipe: no package, no port."""

import itertools
import json
import os
import shutil
import subprocess
import threading

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def find_chromium():
    """The path of a Chromium; the test that asks skips where there is none."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        pytest.skip("needs a Chromium: on Debian and Ubuntu, apt install chromium")
    return found


class Browser:
    """One tab of a Chromium, over the DevTools protocol.

    `complaints` are the errors and warnings of its console, and uncaught exceptions.
    """

    def __init__(self, profile):
        to_browser, from_browser = os.pipe(), os.pipe()
        self._ids = itertools.count(1)
        self._session = None
        self.complaints = []

        def connect():  # the protocol's pipe is file 3 to read from and 4 to write to
            ends = os.dup(to_browser[0]), os.dup(from_browser[1])
            for end, number in zip(ends, (3, 4), strict=True):
                os.dup2(end, number)

        command = [find_chromium(), "--headless=new", "--no-sandbox", "--disable-gpu"]
        command += ["--remote-debugging-pipe", "--no-first-run", "--disable-dev-shm-usage"]
        command += [f"--user-data-dir={profile}", "--disable-background-networking"]
        self._process = subprocess.Popen(
            [*command, "about:blank"],
            preexec_fn=connect,
            close_fds=False,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_browser[0])
        os.close(from_browser[1])
        self._in = os.fdopen(to_browser[1], "wb", buffering=0)
        self._out = os.fdopen(from_browser[0], "rb")
        self._watch = threading.Timer(3600, self._process.kill)
        self._watch.start()
        (target,) = (
            t for t in self.call("Target.getTargets")["targetInfos"] if t["type"] == "page"
        )
        attached = self.call("Target.attachToTarget", targetId=target["targetId"], flatten=True)
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method, **params):
        """Call a method of the protocol and return its result."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        self._in.write(json.dumps(message).encode() + b"\0")
        while True:
            answer = self._read()
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def open(self, url):
        """Load a page and wait until it is there."""
        self.call("Page.navigate", url=url)
        self.wait("document.readyState === 'complete' && location.href !== 'about:blank'")

    def do(self, script):
        """Run JavaScript in the page and return its value."""
        done = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait(self, script):
        """Wait until JavaScript is true, at most five minutes."""
        check = f"""new Promise((done, fail) => {{
            const end = Date.now() + 300000;
            (function ask() {{
              if ({script}) done(true);
              else if (Date.now() > end) fail(new Error("waited in vain"));
              else setTimeout(ask, 15);
            }})();
        }})"""
        self.do(check)

    def resize(self, width, height):
        """Show the page in a window of that size."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.call("Emulation.setDeviceMetricsOverride", **size)

    def mouse(self, kind, x, y, **more):
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def press(self, key, code=0, text=""):
        """Press a key of the keyboard and let it go."""
        common = {"key": key, "code": key, "windowsVirtualKeyCode": code}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **common)
        self.call("Input.dispatchKeyEvent", type="keyUp", **common)

    def close(self):
        self._watch.cancel()
        try:
            self._session = None
            self.call("Browser.close")
        finally:
            self._in.close()
            self._out.close()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()

    def _read(self):
        text = bytearray()
        while (byte := self._out.read1(1)) != b"\0":
            assert byte, "the browser has ended"
            text += byte
        message = json.loads(text)
        about = message.get("params", {})
        if message.get("method") == "Runtime.exceptionThrown":
            self.complaints.append(about["exceptionDetails"])
        elif message.get("method") == "Log.entryAdded":
            if about["entry"]["level"] in ("error", "warning"):
                self.complaints.append(about["entry"])
        elif message.get("method") == "Runtime.consoleAPICalled":
            self.complaints.append(about)
        return message
