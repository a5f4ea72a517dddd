"""
Debian's Chromium without a window, driven by its DevTools protocol over a pair of pipes (--remote-debugging-pipe):
messages are JSON, each ends with a 0.
"""
import base64
import json
import os
import shutil
import signal
import subprocess
import tempfile
import threading
import time

NAMES = ("chromium", "chromium-headless-shell")
KEYS = {"Enter": ("Enter", 13, "\r"), "Tab": ("Tab", 9, ""), "Escape": ("Escape", 27, ""), " ": ("Space", 32, " "),
        "]": ("BracketRight", 221, "]")}
FLAGS = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--ignore-certificate-errors",
         "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync",
         "--disable-extensions", "--disable-default-apps", "--mute-audio", "--hide-scrollbars", "--password-store=basic",
         "--remote-debugging-pipe", "about:blank"]


# Where the element is, once it lies still and in front; null: it does not yet.
FIND = """(async () => {
    const e = document.querySelector(SELECTOR), frame = () => new Promise(requestAnimationFrame);
    e.scrollIntoView({ block: 'center' });
    const before = e.getBoundingClientRect();
    await frame();
    await frame();
    const r = e.getBoundingClientRect(), x = r.x + r.width / 2, y = r.y + r.height / 2;
    if (r.x !== before.x || r.y !== before.y || !e.contains(document.elementFromPoint(x, y)))
        return null;
    window.pressed = false;
    e.addEventListener('click', () => { window.pressed = true; }, { once: true, capture: true });
    return [x, y];
})()"""


class BrowserError(AssertionError):
    """The browser, or the page in it, did not do what it was asked."""


class Browser:
    """
    One tab. `errors` gathers what the page's console says of errors and what is thrown there; `requests` the addresses
    that were asked for.
    """

    def __init__(self, width=1280, height=900, dark=False):
        self.profile = tempfile.mkdtemp(prefix="bulkhead-browser-")
        self.errors, self.requests, self.statuses, self.answers = [], [], {}, {}
        self.intercept = None           # a function of the paused request: (status, headers, body), or None: let it go
        self.changed = threading.Condition()
        self.number = 0
        command_read, self.commands = os.pipe()
        self.replies, reply_write = os.pipe()
        program = next((path for path in map(shutil.which, NAMES) if path), None)
        if not program:
            raise BrowserError("there is no Chromium: make deps installs it")
        self.process = self._start(program, command_read, reply_write)
        os.close(command_read)
        os.close(reply_write)
        self.session = None
        threading.Thread(target=self._read, daemon=True).start()
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(domain + ".enable")
        self.resize(width, height)
        self.dark(dark)

    def _start(self, program, commands, replies):
        """The protocol is on descriptors 3 and 4."""
        def place():
            os.setsid()
            high = [os.dup(commands), os.dup(replies)]
            saved = [os.dup2(descriptor, place + 40) for place, descriptor in enumerate(high)]
            os.dup2(saved[0], 3)
            os.dup2(saved[1], 4)
        home = dict(os.environ, HOME=self.profile, XDG_CONFIG_HOME=self.profile, XDG_CACHE_HOME=self.profile)
        return subprocess.Popen([program, "--user-data-dir=" + self.profile, *FLAGS], env=home, close_fds=False,
                                preexec_fn=place, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                stderr=subprocess.DEVNULL)

    def _read(self):
        data = b""
        while True:
            piece = os.read(self.replies, 1 << 20)
            if not piece:
                return
            data += piece
            *messages, data = data.split(b"\0")
            for message in messages:
                self._take(json.loads(message))

    def _take(self, message):
        if "id" in message:
            with self.changed:
                self.answers[message["id"]] = message
                self.changed.notify_all()
            return
        method, what = message["method"], message["params"]
        if method == "Network.requestWillBeSent":
            self.requests.append(what["request"]["url"])
            self.statuses[what["requestId"]] = what["request"]["url"]
        elif method == "Runtime.exceptionThrown":
            detail = what["exceptionDetails"]
            self.errors.append(detail.get("exception", {}).get("description") or detail["text"])
        elif method == "Runtime.consoleAPICalled" and what["type"] in ("error", "assert", "warning"):
            self.errors.append(" ".join(str(a.get("value", a.get("description"))) for a in what["args"]))
        elif method == "Log.entryAdded" and what["entry"]["level"] == "error":
            self.errors.append(f"{what['entry']['text']} {what['entry'].get('url', '')}")
        elif method == "Fetch.requestPaused":
            threading.Thread(target=self._paused, args=(what,), daemon=True).start()

    def _paused(self, what):
        answer = self.intercept and self.intercept(what["request"])
        if answer is None:
            self.ask("Fetch.continueRequest", requestId=what["requestId"])
            return
        status, kind, body = answer
        self.ask("Fetch.fulfillRequest", requestId=what["requestId"], responseCode=status,
                 responseHeaders=[{"name": "Content-Type", "value": kind}], body=base64.b64encode(body).decode())

    def ask(self, method, seconds=120, **parameters):
        with self.changed:
            self.number += 1
            number = self.number
        message = {"id": number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.commands, json.dumps(message).encode() + b"\0")
        with self.changed:
            if not self.changed.wait_for(lambda: number in self.answers, seconds):
                raise BrowserError(f"no answer to {method} within {seconds} s")
            answer = self.answers.pop(number)
        if "error" in answer:
            raise BrowserError(f"{method}: {answer['error']['message']}")
        return answer["result"]

    # ---- the page ----

    def open(self, url):
        self.ask("Page.navigate", url=url)

    def resize(self, width, height):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1,
                 mobile=width < 600)

    def dark(self, dark):
        self.ask("Emulation.setEmulatedMedia", features=[
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def run(self, script):
        """The value of a JavaScript expression, which may be a promise."""
        result = self.ask("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in result:
            raise BrowserError(f"{script}: {result['exceptionDetails'].get('exception', {}).get('description')}")
        return result["result"].get("value")

    def wait(self, script, seconds=60):
        """Until the expression is true."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                if self.run(f"Boolean({script})"):
                    return
            except BrowserError:        # the page is just being replaced
                pass
            if time.monotonic() > deadline:
                raise BrowserError(f"not within {seconds} s: {script}\nerrors: {self.errors}\n"
                                   f"the page says:\n{self.run('document.body.innerText')[-3000:]}")
            time.sleep(0.2)

    def text(self, selector):
        return self.run(f"document.querySelector({json.dumps(selector)})?.textContent")

    def wait_for(self, selector, text="", seconds=60):
        """Until an element that fits holds the text."""
        self.wait(f"[...document.querySelectorAll({json.dumps(selector)})]"
                  f".some((e) => e.checkVisibility() && e.textContent.includes({json.dumps(text)}))", seconds)

    def click(self, selector, seconds=60):
        """A real click, in the middle of the element; again if the page moved it away meanwhile, as people do."""
        self.wait_for(selector, seconds=seconds)
        deadline = time.monotonic() + seconds
        place = None
        while not place or not self._press(*place):
            if time.monotonic() > deadline:
                raise BrowserError(f"{selector} could not be pressed: it moves, or something is in front of it")
            place = self.run(FIND.replace("SELECTOR", json.dumps(selector)))

    def _press(self, x, y):
        """Whether what FIND has found hears of it. A page that is left by it has forgotten."""
        for kind in ("mousePressed", "mouseReleased"):
            self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)
        return self.run("window.pressed !== false")

    def key(self, name, control=False, shift=False):
        letter = ord(name.upper()) if name.isascii() and name.isalnum() and len(name) == 1 else 0
        code, number, text = KEYS.get(name, ("", letter, name))
        what = {"key": name, "code": code, "windowsVirtualKeyCode": number, "modifiers": 2 * control + 8 * shift}
        self.ask("Input.dispatchKeyEvent", type="keyDown", **what, **({"text": text} if text and not control else {}))
        self.ask("Input.dispatchKeyEvent", type="keyUp", **what)

    def type(self, text):
        for character in text:
            self.key("Enter" if character == "\n" else character)

    def tab_to(self, selector, most=80):
        """Presses Tab until the focus is on an element that fits."""
        for _ in range(most):
            if self.run(f"document.activeElement?.matches({json.dumps(selector)}) ?? false"):
                return
            self.key("Tab")
        raise BrowserError(f"Tab does not come to {selector}")

    def set_file(self, selector, path):
        root = self.ask("DOM.getDocument")["root"]["nodeId"]
        node = self.ask("DOM.querySelector", nodeId=root, selector=selector)["nodeId"]
        self.ask("DOM.setFileInputFiles", nodeId=node, files=[path])

    def fill(self, selector, text):
        """As if it were typed, at once."""
        self.run(f"(() => {{ const e = document.querySelector({json.dumps(selector)}); e.value = {json.dumps(text)};"
                 "e.dispatchEvent(new Event('input', { bubbles: true })); })()")

    def screenshot(self, path, full=False):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        data = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=full)["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def scrolls_sideways(self):
        return self.run("document.documentElement.scrollWidth > document.documentElement.clientWidth")

    def close(self):
        try:
            os.killpg(self.process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.process.wait()
        os.close(self.commands)
        shutil.rmtree(self.profile, ignore_errors=True)
