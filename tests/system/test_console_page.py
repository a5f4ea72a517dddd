"""The console's page in a real browser, as an administrator uses it: see, type, stop, start."""
import os
import re
import sys

import pytest

import emulators
from machine import PROMPT, SYSTEM, TOP, built
from natives import LINUX, LINUX_LINE, audit_clean, guest, to_shell, detach, wait_state

sys.path.insert(0, os.path.join(TOP, "tests"))
from browser import Browser  # noqa: E402

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]

ADDRESS = "10.0.2.15"                   # the first that QEMU's user network gives by DHCP
PICTURES = os.path.join(SYSTEM, "pictures")
SLOW = 120                              # seconds for what takes a few on a machine that is not emulated
UPLOAD = 900                            # for 15 MB through TLS, and for a boot beside it
# Before anybody has logged in the page asks who is there, and a browser writes each 401 down.
EXPECTED = re.compile(r"status of 401 .*/api/v1/session")


@pytest.fixture(scope="module", name="port")
def choose_port():
    return emulators.free_port()


@pytest.fixture(scope="module")
def lan(group, port):
    conf = ("[machine]\ntrusted-for-dma = net\nconsole = lan\n[network lan]\nnic = ethernet\n"
            + guest("alpha", "dedicated 1", more="networks = lan") + guest("beta", "dedicated 2 3", more="networks = lan"))
    return group.start("console-page", conf, LINUX, nics=[emulators.Nic("e1000e", forward=((port, ADDRESS, 443),))])


@pytest.fixture(scope="module", name="page")
def browse(lan, port):
    """Takes the machine so that its steps are run in order, as those of the machine are."""
    browser = Browser()
    browser.origin = f"https://127.0.0.1:{port}/"
    yield browser
    browser.close()


@pytest.fixture(autouse=True)
def no_errors_and_one_origin(page):
    """What the browser complains of fails the step that it belongs to; so does a request to anywhere else."""
    page.errors.clear()
    yield
    assert not [error for error in page.errors if not EXPECTED.search(error)]
    assert not [url for url in page.requests if not url.startswith(page.origin)]


def wait_terminal(page, pattern, seconds=SLOW):
    """Until the terminal's rows, as a screen reader gets them, fit."""
    page.wait(f"[...document.querySelectorAll('.xterm-accessibility-tree > div')]"
              f".map((row) => row.textContent.replaceAll('\\u00a0', ' ').trimEnd()).join('\\n').search(/{pattern}/m) >= 0",
              seconds)


def card(name, more=""):
    return f"article[data-partition={name}] {more}"


def test_log_in(lan, page):
    """A token from the serial line; then both guests are there, running, and have been measured."""
    lan.expect("^" + PROMPT, 120)
    lan.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    for name in ("alpha", "beta"):
        to_shell(lan, name)
        detach(lan)
    token = re.search(r"^(bh_\S+)$", lan.command("token new root administrator"), re.M).group(1)
    page.open(page.origin)
    page.wait_for("#token", seconds=SLOW)
    page.type("bh_0_wrong\n")
    page.wait_for("#login-wrong", "not valid", SLOW)
    page.errors.clear()                 # that was one
    page.run("document.getElementById('token').value = ''")
    page.type(token + "\n")
    for name in ("alpha", "beta"):
        page.wait_for(card(name, ".state"), "running", SLOW)
    page.wait(f"parseFloat(document.querySelector('{card('alpha', '.plot .now')}').textContent) >= 0"
              f" && document.querySelector('{card('alpha', '.line')}').points.length > 2", SLOW)
    page.screenshot(os.path.join(PICTURES, "page-overview.png"), full=True)


def test_plan(page):
    """Each guest's CPU is in the plan as its own, and so is its memory."""
    place = "document.querySelectorAll('.cpu')[{}].textContent"
    assert "alpha" in page.run(place.format(1)) and "beta" in page.run(place.format(2))
    assert "128 MiB" in page.run("document.querySelector('.memory').getAttribute('aria-label')")
    assert re.search(r"alpha\s+128 MiB", page.text(".keys"))


def test_terminal(page):
    """`uname -a` in a guest's terminal on the page, and its answer."""
    page.click(card("alpha", "h3 a"))
    wait_terminal(page, r"^alpha#$")
    page.click(".xterm-place")
    page.type("uname -a\n")
    wait_terminal(page, r"^Linux alpha \d[^]*x86_64[^]*^alpha#$")  # longer than a line
    page.type("echo $((6 * 7)) '<b>bold</b>'\n")
    wait_terminal(page, r"^42 <b>bold<\/b>")
    page.screenshot(os.path.join(PICTURES, "page-terminal.png"), full=True)


def test_stop_and_start(lan, page):
    page.click("nav a")
    page.click(card("beta", "[data-operation=stop]"), SLOW)
    page.click("dialog [data-answer=yes]")
    page.wait_for(card("beta", ".state"), "stopped", SLOW)
    page.wait_for("#news", "beta is stopped", SLOW)
    wait_state(lan, "beta", "stopped")
    page.click(card("beta", "[data-operation=start]"))
    page.wait_for(card("beta", ".state"), "running", SLOW)
    wait_state(lan, "beta", "running")


def test_event_without_a_reload(lan, page):
    """What somebody does on the serial line is on the page, which has not been loaded again."""
    page.run("window.same = true")
    lan.command("pause alpha")
    page.wait_for(card("alpha", ".state"), "paused", SLOW)
    page.wait_for("#news", "alpha: paused", SLOW)
    lan.command("resume alpha")
    page.wait_for(card("alpha", ".state"), "running", SLOW)
    assert page.run("window.same")


def test_token(lan, page):
    """One that is made on the page is the serial line's as well, until it is revoked here."""
    page.run("location.hash = '#/tokens'")
    page.wait_for("tbody th", "root (you)", SLOW)
    page.run("document.querySelector('#token-name').value = 'guest-book'")
    page.click("main form button[type=submit]")
    page.wait_for(".secret", "The token of guest-book", SLOW)
    assert "guest-book" in lan.command("token")
    page.click("button[aria-label='revoke the token guest-book']", SLOW)
    page.click("dialog [data-answer=yes]")
    page.wait_for("#news", "guest-book is revoked", SLOW)
    assert "guest-book" not in lan.command("token")


def test_keyboard_alone(page):
    """From the overview to a guest's shell and back, and a pause, without a mouse."""
    page.open(page.origin)
    page.wait_for(card("alpha"), seconds=SLOW)
    page.tab_to(card("alpha", "[data-operation=pause]"))
    assert page.run("getComputedStyle(document.activeElement).outlineStyle") != "none"
    page.key("Enter")
    page.wait_for(card("alpha", ".state"), "paused", SLOW)
    page.wait("document.activeElement.dataset.operation === 'resume'", SLOW)
    page.wait("!document.activeElement.hasAttribute('aria-disabled')", SLOW)
    page.key("Enter")
    page.wait_for(card("alpha", ".state"), "running", SLOW)
    page.tab_to(card("alpha", ".foot > a"))
    page.key("Enter")
    page.wait_for(".xterm", seconds=SLOW)
    page.tab_to(".xterm-helper-textarea")
    page.type("echo by-$((40 + 2))\n")
    wait_terminal(page, r"^by-42")
    page.key("]", control=True)
    assert page.run("document.activeElement.tagName") == "BUTTON"


def test_phone(page):
    """At 360 pixels nothing makes the page wider than the screen, in any view, and what is there can be pressed."""
    page.resize(360, 740)
    try:
        for view in ("", "partition/alpha", "networks", "images", "tokens", "log"):
            page.run(f"location.hash = '#/{view}'")
            page.wait("document.querySelector('main h1') && document.readyState === 'complete'")
            page.wait(f"location.hash === '#/{view}' && document.querySelectorAll('main .panel').length > 0", SLOW)
            assert not page.scrolls_sideways(), view
        page.run("location.hash = '#/'")
        page.wait_for(card("beta"), seconds=SLOW)
        page.screenshot(os.path.join(PICTURES, "page-phone.png"), full=True)
    finally:
        page.resize(1280, 900)


def test_log_and_audit(page):
    page.run("location.hash = '#/log'")
    page.wait_for("pre.log", "<console>", SLOW)
    page.wait_for("td", "stop beta", SLOW)
    assert "root" in page.text("table")


def test_create_from_sent_images(lan, page):
    """A third guest from a kernel and an initramfs that the browser sends; it runs, answers, and is removed again."""
    page.run("location.hash = '#/images'")
    page.wait_for("#image-file", seconds=SLOW)
    for name in LINUX:
        page.set_file("#image-file", built(name))
        page.wait("document.querySelector('#image-name').value !== ''")
        page.fill("#image-name", "sent-" + name)
        page.click("form button[type=submit]")
        page.wait_for("#news", f"sent-{name} has arrived", UPLOAD)
    for key, value in (("name", "gamma"), ("kernel", "sent-vmlinuz"), ("initrd", "sent-initramfs.img"),
                       ("command-line", LINUX_LINE + " hostname=gamma"), ("memory", "128M"), ("cpus", "shared 0")):
        page.fill(f"#key-{key}", value)
    page.click(".fields.wide button[type=submit]")
    page.wait_for("h1", "gamma", SLOW)
    page.wait_for("main .state", "running", SLOW)
    wait_terminal(page, r"^gamma#$", UPLOAD)
    page.click(".xterm-place")
    page.type("echo born-$((40 + 2))\n")
    wait_terminal(page, r"^born-42$")
    page.screenshot(os.path.join(PICTURES, "page-created.png"), full=True)
    page.click("[data-operation=stop]")
    page.click("[data-answer=yes]")
    page.wait_for("main .state", "stopped", SLOW)
    page.click("[data-operation=remove]")
    page.click("[data-answer=yes]")
    page.wait_for("#news", "gamma is removed", SLOW)
    for name in LINUX:
        page.run("location.hash = '#/images'")
        page.click(f"[aria-label='remove the image sent-{name}']", SLOW)
        page.click("[data-answer=yes]")
        page.wait_for("#news", f"The image sent-{name} is removed", SLOW)
    assert "gamma" not in lan.command("list")


def test_dark(page):
    before = page.run("getComputedStyle(document.body).backgroundColor")
    page.dark(True)
    assert page.run("getComputedStyle(document.body).backgroundColor") != before
    page.run("location.hash = '#/'")
    page.wait_for(card("beta"), seconds=SLOW)
    page.screenshot(os.path.join(PICTURES, "page-dark.png"), full=True)
    page.dark(False)


def test_log_out(lan, page):
    page.click("#leave")
    page.wait_for("#token", seconds=SLOW)
    assert page.run("fetch('/api/v1/partitions').then((answer) => answer.status)") == 401
    page.errors.clear()
    audit_clean(lan)
