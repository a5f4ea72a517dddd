"""The console's time: from a server that the configuration or DHCP names, and not from whoever else says something."""
import email.utils
import ipaddress
import struct
import time

import pytest

import emulators
from https import ADDRESS, Console, first_token, new_token
from machine import PROMPT
from natives import audit_clean
from station import Station

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]

NET = "[network lan]\nnic = ethernet\n"
MACHINE = "[machine]\ntrusted-for-dma = net\nconsole = lan"
CLOCK = ["-rtc", "base=2021-03-04T05:06:07"]
FROM_1900 = 2208988800
SERVER = "10.0.2.77"
OTHER = ipaddress.IPv4Address("10.0.2.78")


def reply(request, seconds=None, origin=None, first=0x24, stratum=2, code=b"\0\0\0\0"):
    """A server's answer (RFC 5905, 7.3)."""
    stamp = struct.pack("!II", (int(time.time()) if seconds is None else seconds) + FROM_1900 & 0xffffffff, 0)
    return (struct.pack("!BBbb8x4s8x", first, stratum, 6, -20, code) + (origin or request[40:48]) + stamp + stamp)


class TimeServer:
    """Answers each question by the next of `script`; by nothing when that is over, until `right` is set."""

    def __init__(self, script):
        self.script = list(script)
        self.questions = []
        self.right = False

    def __call__(self, request):
        self.questions.append(request)
        if self.script:
            return self.script.pop(0)(request)
        return [reply(request)] if self.right else []


WRONG = 1500000000


@pytest.fixture(scope="module")
def server():
    """First what is not to be heeded, and at its end the server's own word that it has no time."""
    return TimeServer([
        lambda asked: [(OTHER, reply(asked, WRONG)), reply(asked, WRONG + 3600 * 24 * 3000, origin=b"12345678"),
                       reply(asked, origin=bytes(8), stratum=0, code=b"DENY"), b"", reply(asked)[:47],
                       reply(asked, first=0x23), reply(asked, first=0xe4)],
    ])


@pytest.fixture(scope="module")
def console():
    return Console(emulators.free_port())


@pytest.fixture(scope="module")
def lan(group, console, server):
    """The user network with this process as one station more."""
    station = Station(SERVER, {123: server})
    hub = ["-netdev", "user,id=u,hostfwd=tcp:127.0.0.1:{}-{}:{}".format(*console.forward),
           "-netdev", "hubport,id=hu,hubid=0,netdev=u",
           "-netdev", station.backend + ",id=s", "-netdev", "hubport,id=hs,hubid=0,netdev=s"]
    machine = group.start("console-time", f"{MACHINE} ntp {SERVER}\n{NET}",
                          nics=[emulators.Nic("e1000e", backend="hubport,hubid=0")], options=hub + CLOCK)
    machine.expect("^" + PROMPT, 120)
    machine.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    yield machine
    station.close()


def wait_for(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "that took too long"
        time.sleep(0.2)


def wait_log(machine, words):
    """The log, once these are in it. The line has 40 characters."""
    for _ in range(150):
        log = machine.command("log 200")
        if words in log:
            return log
        machine.progress(1)
    machine.fail(f"no `{words}` in the log")


def date_of(console, token):
    """By the header Date; both clocks were read within the request."""
    assert console.api("GET", "audit", token)[0] == 200
    return email.utils.parsedate_to_datetime(console.headers["date"]).timestamp()


def test_clock_of_the_machine(lan, console):
    """Before a server has answered it is the machine's own."""
    token = first_token(lan)
    assert time.gmtime(date_of(console, token))[:3] == (2021, 3, 4)


def test_nonsense_is_not_heeded(lan, console, server):
    """Answers from elsewhere, to another question, too short, of a client; then one that is the server's and no time."""
    token = first_token(lan)
    wait_for(lambda: not server.script)
    wait_log(lan, "it has no time")
    assert time.gmtime(date_of(console, token))[:3] == (2021, 3, 4)
    assert len({asked[40:] for asked in server.questions}) == len(server.questions), "a question can be foreseen"
    assert all(asked[1:40] == bytes(39) for asked in server.questions), "a question says more than it needs to"


def test_right_after_the_first_answer(lan, console, server):
    token = first_token(lan)
    server.right = True
    wait_log(lan, f"{SERVER}: clock was ")
    assert abs(date_of(console, token) - time.time()) < 5
    assert abs(console.api("GET", "machine", token)[1]["time"] - time.time()) < 5
    entries = console.api("GET", "audit", token)[1]["entries"]
    assert [entry["who"] for entry in entries if entry["what"].startswith("clock set, was ")] == ["time server"]
    new_token(lan, "new", "viewer")
    listed = {entry["name"]: entry for entry in console.api("GET", "tokens", token)[1]["tokens"]}
    assert abs(listed["new"]["created"] - time.time()) < 60


def test_restart_and_silence(lan, console, server):
    """A console that starts again knows the time at once; and goes on while nobody answers."""
    token = first_token(lan)
    server.right = False
    before = len(server.questions)
    lan.send("debug crash console\r")
    lan.expect(r"Type help for a list of commands\.", 60)
    lan.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    entries = console.api("GET", "audit", token)[1]["entries"]
    again = [entry for entry in entries if entry["what"] == "started again"]
    assert abs(email.utils.parsedate_to_datetime(console.headers["date"]).timestamp() - time.time()) < 5
    assert len(again) == 1 and len(server.questions) <= before + 2
    wait_log(lan, f"{SERVER}: no answer")
    assert abs(date_of(console, token) - time.time()) < 5
    audit_clean(lan)


# ---- a server that DHCP tells ----


def dhcp(client):
    """A server of one address, with option 42 (RFC 2131, 3.1; RFC 2132)."""
    def answer(request):
        options, at = {}, 240
        while at < len(request) and request[at] != 255:
            if not request[at]:
                at += 1
                continue
            options[request[at]] = request[at + 2:at + 2 + request[at + 1]]
            at += 2 + request[at + 1]
        kind = {1: 2, 3: 5}.get(options.get(53, b"\0")[0])
        if not kind:
            return []
        own = ipaddress.IPv4Address(SERVER).packed
        head = b"\2" + request[1:16] + ipaddress.IPv4Address(client).packed + own + request[24:236]
        told = {53: bytes([kind]), 54: own, 51: struct.pack("!I", 3600), 1: bytes([255, 255, 255, 0]), 42: own}
        return [head + request[236:240] + b"".join(bytes([key, len(value)]) + value for key, value in told.items())
                + b"\xff"]
    return answer


def test_server_by_dhcp(one):
    server = TimeServer([])
    server.right = True
    station = Station(SERVER, {67: dhcp("10.0.2.33"), 123: server})
    machine = one.start("console-time-dhcp", f"{MACHINE}\n{NET}", nics=[emulators.Nic("e1000e", station.backend)],
                        options=CLOCK)
    machine.expect("^" + PROMPT, 120)
    machine.expect(r"\[console: https://10\.0\.2\.33/ on lan\]", 60)
    wait_log(machine, f"{SERVER}: clock was ")
    audit_clean(machine)
    station.close()
