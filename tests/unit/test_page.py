"""The console's page: its files, how they are served, and how it behaves in a browser, on a fake machine that lives."""
import gzip
import http.client
import json
import os
import re
import subprocess
import sys
from urllib.parse import parse_qs, urlsplit

import pytest

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests"))
sys.path.insert(0, os.path.join(TOP, "tests/bench"))
from browser import Browser  # noqa: E402
from console_page import LIMIT, PACKED, page_bytes  # noqa: E402

PAGE = os.path.join(TOP, "guests/console/page")
OURS = sorted(name for name in os.listdir(PAGE) if name.endswith((".html", ".css", ".js", ".svg")))
# Namespaces are names and not addresses; what stands in the licence of xterm.js is no address of the page's either.
NAMES_ONLY = ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xhtml")
ODD = "o\"d\\d\\x01\ufffd<b>"


def packed(name):
    with gzip.open(os.path.join(PACKED, name + ".gz"), "rt", encoding="utf-8") as file:
        return file.read()


# ---- the files ----

def test_size():
    assert page_bytes() <= LIMIT


def test_no_other_origin():
    """No address of elsewhere in anything that is served, but for comments."""
    for name in os.listdir(PACKED):
        if not name.endswith(".gz"):
            continue
        text = re.sub(r"/\*.*?\*/", "", packed(name[:-3]), flags=re.S)
        found = [url for url in re.findall(r"""(?:https?:|wss?:|["'(]\s*)//[\w.-]+[^\s"')]*""", text) if url not in NAMES_ONLY]
        assert not found, (name, found)


def test_text_is_never_markup():
    """The policy that is served would stop it as well."""
    for name in OURS:
        with open(os.path.join(PAGE, name), encoding="utf-8") as file:
            text = file.read()
        found = re.findall(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|\son\w+=\"|\sstyle=\"", text)
        assert not found, (name, found)


def test_all_that_is_named_is_there():
    served = {name[:-3] for name in os.listdir(PACKED) if name.endswith(".gz")}
    for name in OURS:
        with open(os.path.join(PAGE, name), encoding="utf-8") as file:
            text = file.read()
        named = re.findall(r"""(?:from|import\(|lazy\()\s*"\./([^"]+)\"""", text) + re.findall(r'(?:href|src)="/([^"]+)"', text)
        assert set(named) <= served, name


# ---- as they are served ----

class Server:
    def __init__(self, cpus):
        self.process = subprocess.Popen([os.path.join(TOP, "build/tests/unit/page_server"), str(cpus)],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.port, self.ann, self.vic, self.oda = self.process.stdout.readline().decode().split()
        self.origin = f"http://127.0.0.1:{self.port}/"

    def ask(self, path, **headers):
        wire = http.client.HTTPConnection("127.0.0.1", int(self.port), timeout=30)
        wire.request("GET", path, headers={"Accept-Encoding": "gzip", **headers})
        answer = wire.getresponse()
        data = answer.read()
        wire.close()
        return answer.status, answer, data

    def close(self):
        self.process.stdin.close()
        assert self.process.wait(30) == 0


@pytest.fixture(scope="module", name="server")
def run_server():
    server = Server(8)
    yield server
    server.close()


def test_served_with_a_strict_policy(server):
    for name in ["", *OURS, "xterm.js", "xterm.css"]:
        if name == "index.html":
            continue
        status, answer, data = server.ask("/" + name)
        assert status == 200 and answer.getheader("Content-Encoding") == "gzip", name
        assert gzip.decompress(data).decode() == packed(name or "index.html")
        policy = answer.getheader("Content-Security-Policy")
        assert "default-src 'none'" in policy and "frame-ancestors 'none'" in policy and "unsafe" not in policy
        assert answer.getheader("X-Content-Type-Options") == "nosniff"
        assert answer.getheader("Referrer-Policy") == "no-referrer"
        assert answer.getheader("Cache-Control") == "no-cache"
        assert server.ask("/" + name, **{"If-None-Match": answer.getheader("ETag")})[0] == 304
        assert server.ask("/" + name, **{"Accept-Encoding": "identity"})[0] == 406


def test_nothing_else_is_served(server):
    for path in ("/index.html.gz", "/pack.py", "/page.mk", "//", "/x.js", "/style.css/", "/%2e%2e/style.css"):
        assert server.ask(path)[0] in (400, 404), path


# ---- in a browser ----

@pytest.fixture(scope="module", name="window")
def open_window():
    browser = Browser()
    yield browser
    browser.close()


@pytest.fixture(name="page")
def clean_page(server, window):
    """Nobody is logged in. What the browser complains of afterwards fails the test, but for what it `may` say."""
    window.open("about:blank")
    window.intercept = None
    window.ask("Network.clearBrowserCookies")
    window.errors.clear()
    window.requests.clear()
    window.may = r"status of 401 .*/session"
    window.server = server
    yield window
    window.ask("Fetch.disable")
    window.resize(1280, 900)
    assert not [error for error in window.errors if not re.search(window.may, error)]
    assert not [url for url in window.requests if not url.startswith((server.origin, "about:"))]


def log_in(page, token):
    page.open(page.server.origin)
    page.wait_for("#token")
    page.wait("document.activeElement.id === 'token'")
    page.type(token + "\n")
    page.wait_for("article")


def go(page, view):
    page.run(f"location.hash = '#/{view}'")
    page.wait("document.querySelector('main h1')")


def card(name, more=""):
    return f"article[data-partition={name}] {more}"


def test_wrong_token(page):
    page.open(page.server.origin)
    page.wait_for("#token")
    page.type("bh_0_wrong\n")
    page.wait_for("[role=alert]", "This token is not valid.")
    assert page.run("document.activeElement.id") == "token"


def test_hostile_names(page):
    log_in(page, page.server.ann)
    page.wait_for("article h3", ODD)
    page.wait_for(".keys", ODD)
    page.wait_for(".vcpu", ODD)
    assert page.run("document.querySelectorAll('main b, main i, main script').length"
                    " === document.querySelectorAll('.keys b, .tiles b, i.swatch, .meter i').length")
    page.run(f"location.hash = '#/partition/' + encodeURIComponent({json.dumps('<img src=x onerror=alert(1)>')})")
    page.wait_for("h1", "<img src=x onerror=alert(1)>")
    page.wait_for(".empty", "There is no such partition")
    page.run("location.hash = '#/partition/%ff'")
    page.wait_for(".empty", "There is no such partition")


def test_administrator(page):
    log_in(page, page.server.ann)
    assert page.run("[...document.querySelectorAll('nav a')].map((a) => a.textContent)") == [
        "Overview", "Networks", "Images", "Tokens", "Log"]
    assert page.run("[...document.querySelectorAll('article')].length") == 3
    page.wait("document.querySelector('article .line').points.length > 1")
    go(page, "log")
    page.wait_for("pre.log", "[999.0] a line")
    page.wait_for("td", "log in")
    go(page, "networks")
    page.wait_for("td", 'e1000: \\x1b \ufffd "x"')
    go(page, "partition/alpha")
    page.click("details summary")
    page.wait_for("table", "triple fault")
    go(page, "")
    page.click(".papers summary")
    page.wait_for(".papers pre", "VPID: yes")


def test_lines_begin_before_the_page(page):
    """With what the machine remembers: not with the first number that this page has read."""
    log_in(page, page.server.ann)
    page.run("(async () => { while ((await (await fetch('/api/v1/history')).json()).partitions[0].cpu_us.length < 4)"
             "await new Promise((resolve) => setTimeout(resolve, 500)); })()")
    page.open(page.server.origin)
    page.wait_for("article")
    assert page.run("document.querySelector('article .line').points.length") > 3


def test_viewer_is_offered_nothing(page):
    log_in(page, page.server.vic)
    assert page.run("[...document.querySelectorAll('article')].length") == 3
    assert page.run("document.querySelectorAll('[data-operation]').length") == 0
    assert "Images" not in page.text("nav") and "Tokens" not in page.text("nav")
    go(page, "partition/alpha")
    page.wait_for(".terminal", "You may read, and not type.")
    for view in ("images", "tokens"):
        go(page, view)
        page.wait_for(".empty", "for administrators")
        assert page.run("document.querySelector('main form') === null")


def test_operator_is_offered_his_own(page):
    log_in(page, page.server.oda)
    assert page.run("[...document.querySelectorAll('article')].map((a) => a.dataset.partition)") == ["beta"]
    assert page.run(f"document.querySelectorAll({json.dumps(card('beta', '[data-operation]'))}).length") > 0
    assert "alpha" not in page.run("document.body.innerText")
    go(page, "log")
    page.wait_for("h2", "Events")
    assert page.run("document.querySelector('pre.log') === null && document.querySelector('table') === null")


def test_tokens(page):
    """With the keyboard alone: one is made, shown once, copied, opens the page, and is revoked."""
    page.may += "|status of (401|409|422)"
    page.ask("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    log_in(page, page.server.ann)
    go(page, "tokens")
    page.wait_for("tbody th", "ann (you)")
    assert page.run("[...document.querySelectorAll('tbody tr')].find((row) => row.textContent.startsWith('oda')).children[2].textContent") == "beta"
    page.tab_to("#token-name")
    page.type("bad name\n")
    page.wait_for("#token-wrong", "a name has 1 to 31")
    assert page.run("document.activeElement.id") == "token-name"
    fill(page, "#token-name", "oda")
    page.type("\n")
    page.wait_for("#token-wrong", "there is a token of that name")
    fill(page, "#token-name", "otto")
    page.run("document.querySelector('#token-role').value = 'operator';"
             "document.querySelector('#token-role').dispatchEvent(new Event('change'))")
    page.type("\n")
    page.wait_for("#token-wrong", "an operator needs the names")
    page.tab_to("fieldset input[value=beta]")
    page.type(" ")
    page.tab_to("form button[type=submit]")
    page.key("Enter")
    page.wait("document.activeElement.id === 'token-secret'")
    secret = page.run("document.activeElement.value")
    assert re.fullmatch(r"bh_[0-9a-f]{8}_[0-9a-f]{48}", secret)
    page.tab_to(".secret button.primary")
    page.key("Enter")
    page.wait_for("#news", "The token is copied.")
    assert page.run("navigator.clipboard.readText()") == secret
    page.wait("[...document.querySelectorAll('tbody th')].some((cell) => cell.textContent === 'otto')")
    page.tab_to(".secret button:not(.primary)")
    page.key("Enter")
    page.wait("document.activeElement.id === 'token-name'")
    assert secret not in page.run("document.documentElement.outerHTML")
    assert page.server.ask("/api/v1/partitions/beta", Authorization="Bearer " + secret)[0] == 200
    assert page.server.ask("/api/v1/partitions/alpha", Authorization="Bearer " + secret)[0] == 404
    page.click("button[aria-label='revoke the token otto']")
    page.wait_for("dialog", "Revoke the token otto?")
    page.key("Escape")
    page.wait("!document.querySelector('dialog')")
    page.click("button[aria-label='revoke the token otto']")
    page.click("[data-answer=yes]")
    page.wait_for("#news", "otto is revoked")
    page.wait("![...document.querySelectorAll('tbody th')].some((cell) => cell.textContent === 'otto')")
    page.wait("document.activeElement !== document.body")
    assert page.server.ask("/api/v1/partitions/beta", Authorization="Bearer " + secret)[0] == 401


def test_own_token_revoked(page):
    """It is said before; then the page logs out. A token that is shown is gone with the view."""
    page.may += "|status of 401"
    log_in(page, page.server.ann)
    go(page, "tokens")
    page.wait_for("tbody th", "ann (you)")
    fill(page, "#token-name", "two")
    page.run("document.querySelector('#token-role').value = 'administrator';"
             "document.querySelector('#token-role').dispatchEvent(new Event('change'))")
    assert not page.run("document.querySelector('fieldset').checkVisibility()")
    page.click("form button[type=submit]")
    page.wait_for(".secret", "The token of two")
    secret = page.run("document.querySelector('#token-secret').value")
    go(page, "log")
    go(page, "tokens")
    assert page.run("document.querySelector('#token-secret') === null")
    page.click("#leave")
    page.wait_for("#token")
    log_in(page, secret)
    go(page, "tokens")
    page.click("button[aria-label='revoke the token two']")
    page.wait_for("dialog", "You are logged in with it")
    page.click("[data-answer=yes]")
    page.wait_for("[role=alert]", "The session has ended")


def test_lifecycle_with_progress(page):
    """A start, told while it goes on; a stop that is asked for first; a refusal in the server's words."""
    page.may += "|status of 409"
    log_in(page, page.server.ann)
    page.wait_for(card("beta", "[data-operation=start]"))
    page.click(card("beta", "[data-operation=start]"))
    page.wait_for(card("beta", ".doing"), "starting")
    assert page.run(f"document.querySelector({json.dumps(card('beta', '[role=progressbar]'))}).checkVisibility()")
    page.wait_for("#news", "beta runs")
    page.click(card("beta", "[data-operation=stop]"))
    page.wait_for("dialog", "Stop beta?")
    page.key("Escape")
    page.wait("!document.querySelector('dialog')")
    assert page.run(f"document.querySelector({json.dumps(card('beta', '[role=progressbar]'))}).hidden")
    page.click(card("beta", "[data-operation=pause]"))
    page.wait_for("#news .bad", "beta is in another state.")
    page.click(card("beta", "[data-operation=stop]"))
    page.click("[data-answer=yes]")
    page.wait_for("#news", "beta is stopped")
    go(page, "log")
    page.wait_for(".events", "stopped (stopped)")


def test_terminal(page):
    log_in(page, page.server.ann)
    go(page, "partition/alpha")
    rows = "document.querySelector('.xterm-accessibility-tree').textContent.replaceAll('\\u00a0', ' ')"
    page.wait(f"{rows}.includes('Welcome to alpha')")
    page.tab_to(".xterm-helper-textarea")
    page.type("hello there\n")
    page.wait(f"{rows}.includes('hello there')")
    page.key("]", control=True)
    assert page.run("document.activeElement.textContent") == "Clear"


def test_session_that_ends(page):
    page.may += "|status of 401"
    log_in(page, page.server.ann)
    page.run("fetch('/api/v1/session').then((a) => a.json()).then((who) => "
             "fetch('/api/v1/session', { method: 'DELETE', headers: { 'X-CSRF-Token': who.csrf } }))")
    page.wait_for("[role=alert]", "The session has ended")
    page.type(page.server.ann + "\n")
    page.wait_for("article")
    page.click("#leave")
    page.wait_for("#token")


def test_other_tab(page):
    """A log-in elsewhere in the same browser gives this page's requests another session, which it takes over."""
    page.may += "|status of 403"
    log_in(page, page.server.ann)
    page.run("fetch('/api/v1/session', { method: 'POST', headers: { 'Content-Type': 'application/json' },"
             f"body: JSON.stringify({{ token: '{page.server.ann}' }}) }}).then((answer) => answer.status)")
    page.click(card("beta", "[data-operation=start]"))
    page.wait_for("#news", "beta runs")
    page.click(card("beta", "[data-operation=stop]"))
    page.click("[data-answer=yes]")
    page.wait_for("#news", "beta is stopped")


def test_skip_link(page):
    log_in(page, page.server.ann)
    go(page, "log")
    page.run("document.activeElement.blur()")
    page.tab_to(".skip")
    page.key("Enter")
    assert page.run("document.activeElement.id === 'main' && location.hash === '#/log'")


def test_hidden(page):
    """A tab that is hidden for long holds no connection, and goes on when it is seen."""
    log_in(page, page.server.ann)
    page.run("window.hide = (hidden) => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
             "document.dispatchEvent(new Event('visibilitychange')); }, hide(true)")
    page.run("new Promise((resolve) => setTimeout(resolve, 14000))")
    page.requests.clear()
    page.run("new Promise((resolve) => setTimeout(resolve, 5000))")
    assert not page.requests
    page.run("hide(false)")
    page.wait("document.getElementById('link').textContent === 'Live'")
    page.run("new Promise((resolve) => setTimeout(resolve, 4000))")
    assert any(url.endswith("/events") for url in page.requests)
    assert any(url.endswith("/statistics") for url in page.requests)


def test_colours(page):
    """As the system has it, or as somebody chose, which is kept."""
    log_in(page, page.server.ann)
    colour = "getComputedStyle(document.body).backgroundColor"
    light = page.run(colour)
    page.dark(True)
    dark = page.run(colour)
    assert light != dark
    page.click("#theme")
    assert page.run(colour) == light
    page.open(page.server.origin)
    page.wait_for("article")
    assert page.run(colour) == light
    page.click("#theme")
    page.dark(False)
    assert page.run(colour) == dark
    page.click("#theme")
    assert page.run(colour) == light


@pytest.mark.parametrize("width", [320, 360, 768])
def test_width(page, width):
    """No view is wider than the screen; what is wider by nature scrolls in its own frame."""
    page.resize(width, 740)
    log_in(page, page.server.ann)
    for view in ("", "partition/alpha", "networks", "images", "tokens", "log"):
        go(page, view)
        page.wait("document.querySelectorAll('main .panel').length > 0")
        page.run("new Promise((resolve) => setTimeout(resolve, 300))")
        assert not page.scrolls_sideways(), view


def test_everything_has_a_name(page):
    """What can be focused has a name that is read aloud, and every field its label."""
    log_in(page, page.server.ann)
    for view in ("", "partition/alpha", "networks", "images", "tokens", "log"):
        go(page, view)
        page.run("new Promise((resolve) => setTimeout(resolve, 300))")
        nodes = page.ask("Accessibility.getFullAXTree")["nodes"]
        nameless = [node for node in nodes if not node.get("ignored") and not node.get("name", {}).get("value")
                    and node.get("role", {}).get("value") in ("button", "link", "textbox", "combobox", "checkbox", "img",
                                                               "progressbar", "region")]
        assert not nameless, (view, nameless)


def test_many_cpus():
    """300 of them, on a phone."""
    server, window = Server(300), Browser(360, 740)
    try:
        window.server = server
        log_in(window, server.ann)
        window.wait("document.querySelectorAll('.cpu').length === 300")
        assert not window.scrolls_sideways()
    finally:
        window.close()
        server.close()


# ---- images and new partitions, against the contract ----

class Images:
    """What answers in the machine's place."""

    def __init__(self):
        self.images = {"vmlinuz": {"name": "vmlinuz", "bytes": 9, "received": 9, "complete": True, "origin": "boot",
                                   "users": ["alpha"]}}
        self.made, self.pieces, self.lose = None, [], 1

    def __call__(self, request):
        url, method = urlsplit(request["url"]), request["method"]
        if url.path.startswith("/api/v1/images"):
            status, body = self.image(method, url, request)
        elif url.path == "/api/v1/partitions" and method == "POST":
            status, body = self.create(json.loads(request["postData"]))
        else:
            return None
        return status, "application/json" if status < 400 else "application/problem+json", json.dumps(body).encode()

    def image(self, method, url, request):
        if method == "GET":
            return 200, {"images": list(self.images.values()), "free": 1 << 28}
        if method == "POST":
            wanted = json.loads(request["postData"])
            if wanted["name"] in self.images:
                return 409, {"detail": "There is an image of that name."}
            self.images[wanted["name"]] = {**wanted, "received": 0, "complete": False, "origin": "upload", "users": []}
            return 201, self.images[wanted["name"]]
        image = self.images[url.path.split("/")[4]]
        if method == "DELETE":
            del self.images[image["name"]]
            return 200, None
        offset = int(parse_qs(url.query)["offset"][0])
        if self.lose and offset:        # the answer gets lost, and the piece did arrive
            self.lose -= 1
            image["received"] = min(image["bytes"], offset + (256 << 10))
            return 409, {"detail": f"The offset that is wanted is {image['received']}."}
        self.pieces.append(offset)
        image["received"] = min(image["bytes"], offset + (256 << 10))
        image["complete"] = image["received"] == image["bytes"]
        return 200, image

    def create(self, wanted):
        if wanted["keys"]["memory"] == "3M":
            return 422, {"detail": "memory = 3M is no multiple of 2M.", "key": "memory"}
        self.made = wanted
        return 201, {"name": "beta"}


def fill(page, selector, text):
    page.run(f"document.querySelector({json.dumps(selector)}).value = {json.dumps(text)}")


def test_upload_and_create(page, tmp_path):
    page.may += "|status of (409|422)"
    page.intercept = machine = Images()
    page.ask("Fetch.enable", patterns=[{"urlPattern": "*/api/v1/images*"}, {"urlPattern": "*/api/v1/partitions"}])
    log_in(page, page.server.ann)
    go(page, "images")
    page.wait_for("tbody th", "vmlinuz")
    assert page.run("document.querySelector('tbody button').getAttribute('aria-disabled')") == "true"
    path = tmp_path / "kernel.bin"
    path.write_bytes(b"k" * 700000)
    page.set_file("#image-file", str(path))
    page.wait("document.querySelector('#image-name').value === 'kernel.bin'")
    page.click("form button[type=submit]")
    page.wait_for("#news", "kernel.bin has arrived")
    assert machine.pieces == [0, 524288] and machine.images["kernel.bin"]["complete"]
    page.wait_for("tbody th", "kernel.bin")

    for key, value in (("name", "gamma"), ("kernel", "kernel.bin"), ("memory", "3M")):
        fill(page, f"#key-{key}", value)
    fill(page, "#new-more", "weight = 300\n\nrestart = on-failure 3")
    page.click(".fields.wide button[type=submit]")
    page.wait_for("#key-memory-wrong", "memory = 3M is no multiple of 2M.")
    assert page.run("document.activeElement.id") == "key-memory"
    fill(page, "#key-memory", "256M")
    page.click(".fields.wide button[type=submit]")
    page.wait("location.hash === '#/partition/beta'")
    assert machine.made == {"name": "gamma", "kind": "guest", "keys": {
        "kernel": "kernel.bin", "command-line": "console=ttyS0 quiet", "memory": "256M", "cpus": "shared 1",
        "weight": "300", "restart": "on-failure 3"}}
