"""What strangers send to the console: it refuses as the RFCs say, holds no more memory after it, and serves the next one."""
import json
import os
import re
import ssl

import pytest

from console_client import Client, context, read_all, status_of
from console_wear import pools, reset, restarts, settle
from machine import PROMPT, emulators
from natives import LINUX, audit_clean, again_in, detach, guest, linux, to_shell
from test_console_net import ADDRESS, new_token

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]
STATE = {}
HOST = b"Host: console\r\n"
GIGABYTE = 1 << 30
MIB = 1 << 20
JSON = "Content-Type: application/json\r\n"


@pytest.fixture(scope="module")
def lan(group):
    STATE["ports"] = [emulators.free_port() for _ in range(2)]
    conf = ("[machine]\ntrusted-for-dma = net\nconsole = lan\n[network lan]\nnic = ethernet\n"
            + guest("alpha", "dedicated 1", more="networks = lan"))
    forward = tuple((port, ADDRESS, inside) for port, inside in zip(STATE["ports"], (443, 80)))
    return group.start("console-hostile", conf, LINUX, nics=[emulators.Nic("e1000e", forward=forward)])


def assert_serves():
    """The partition list, with the token of the beginning: the console has not been started anew."""
    status, body = STATE["client"].get("/api/v1/partitions")
    assert status == 200 and b'"alpha"' in body, (status, body)


def refused(request):
    """The status of what is answered to this, and whether the rest of the answer is in order."""
    answer = STATE["client"].send(request)
    status = status_of(answer)
    if status >= 400 and b"application/problem+json" in answer:
        problem = json.loads(answer.partition(b"\r\n\r\n")[2])
        assert problem["status"] == status and problem["title"], problem
    return status


def with_token(method, path, more=""):
    return STATE["client"].head(method, path, "Connection: close\r\n" + more)


def tokens(more):
    """The head of a request for a new token."""
    return with_token("POST", "/api/v1/tokens", more)


def post(body, more=""):
    return tokens(f"{JSON}Content-Length: {len(body)}\r\n{more}\r\n") + body


def test_before(lan):
    lan.expect("^" + PROMPT, 120)
    lan.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    STATE["client"] = Client(STATE["ports"][0], new_token(lan, "test", "administrator"), 120)
    assert_serves()
    lan.progress(25)
    STATE["pools"] = pools(lan)


# (what is sent, the status): RFC 9110 and RFC 9112
MALFORMED = {
    "no version": (b"GET /\r\n\r\n", 400),
    "nonsense": (bytes(range(1, 256)) + b"\r\n\r\n", 400),
    "zeros": (bytes(100), 400),
    "no Host": (b"GET / HTTP/1.1\r\n\r\n", 400),
    "two Hosts": (b"GET / HTTP/1.1\r\n" + HOST * 2 + b"\r\n", 400),
    "bare LF": (b"GET / HTTP/1.1\nHost: console\n\n", 400),
    "bare CR": (b"GET / HTTP/1.1\rHost: console\r\r", 400),
    "space before the colon": (b"GET / HTTP/1.1\r\nHost : console\r\n\r\n", 400),
    "folded": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", 400),
    "0 in a header": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", 400),
    "version": (b"GET / HTTP/2.7\r\n" + HOST + b"\r\n", 505),
    "HTTP/2": (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    "method": (b"BREW /api/v1/partitions HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    "no token as method": (b"G(T / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    "two lengths": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
    "length and coding": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    "length below 0": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n", 400),
    "length of 30 digits": (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: " + b"9" * 30 + b"\r\n\r\n", 413),
    "coding": (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: gzip, chunked\r\n\r\n", 501),
    "expectation": (b"GET / HTTP/1.1\r\n" + HOST + b"Expect: a miracle\r\n\r\n", 417),
    "target of 1 MB": (b"GET /" + b"a" * MIB + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    "header of 1 MB": (b"GET / HTTP/1.1\r\n" + HOST + b"X: " + b"a" * MIB + b"\r\n\r\n", 431),
    "1 MB of headers": (b"GET / HTTP/1.1\r\n" + HOST + b"X: a\r\n" * (MIB // 6) + b"\r\n", 431),
}


@pytest.mark.parametrize("name", MALFORMED)
def test_malformed(lan, name):
    request, status = MALFORMED[name]
    assert refused(request) == status
    assert_serves()


PATHS = {
    "/../../etc/passwd": 400, "/api/v1/%2e%2e/%2e%2e/x": 400, "/api/v1/partitions/..%2falpha": 400, "/api/v1/./partitions": 400,
    "//api/v1/partitions": 404, "/api/v1/partitions/%00": 400, "/api/v1/partitions/%0a": 400, "/api/v1/partitions/%zz": 400,
    "/api/v1/partitions/alpha%00": 400, "/api/v1/partitions/%22%3Cscript%3E": 404, "/api/v1/partitions/'%20or%201=1": 404,
    "/api/v1/partitions/nobody": 404, "/api/v1/partitions/" + "a" * 500: 404, "/api/v1/partitions/%ff%fe": 404,
    "/api/v1/partitions/alpha/start/now": 404, "/api/v1/nothing": 404, "http://elsewhere/api/v1/nothing": 404,
    "c:\\windows": 400,
}


@pytest.mark.parametrize("path", PATHS)
def test_path(lan, path):
    assert refused(with_token("GET", path, "\r\n")) == PATHS[path]


METHODS = {("DELETE", "/api/v1/machine"): 405, ("PUT", "/api/v1/partitions/alpha/start"): 405,
           ("GET", "/api/v1/partitions/alpha/stop"): 405, ("POST", "/api/v1/machine"): 405,
           ("TRACE", "/api/v1/machine"): 501, ("CONNECT", "/api/v1/machine"): 501,
           ("OPTIONS", "/api/v1/machine"): 204, ("POST", "/api/v1/partitions/nobody/stop"): 404}


def test_methods(lan):
    found = {key: refused(with_token(*key, "Content-Length: 0\r\n\r\n")) for key in METHODS}
    assert found == METHODS
    answer = STATE["client"].send(with_token("DELETE", "/api/v1/machine", "\r\n"))
    assert b"\r\nAllow: GET, HEAD, OPTIONS\r\n" in answer, answer


def chunks(body):
    return tokens(JSON + "Transfer-Encoding: chunked\r\n\r\n") + body


BODIES = {
    "1 GB announced": (413, lambda: tokens(f"{JSON}Content-Length: {GIGABYTE}\r\n\r\n")),
    "1 GB announced, 4 MB sent": (413, lambda: tokens(f"{JSON}Content-Length: {GIGABYTE}\r\n\r\n") + b"x" * (4 * MIB)),
    "a chunk of 1 GB": (413, lambda: chunks(b"40000000\r\n")),
    "a chunk of 16 digits": (400, lambda: chunks(b"ffffffffffffffff\r\n")),
    "no size": (400, lambda: chunks(b"\r\n")),
    "nonsense for a size": (400, lambda: chunks(b"zz\r\n{}\r\n0\r\n\r\n")),
    "a size below 0": (400, lambda: chunks(b"-1\r\n")),
    "a chunk that goes on": (400, lambda: chunks(b"2\r\n{}}\r\n0\r\n\r\n")),
    "bare LF behind the size": (400, lambda: chunks(b"2\n{}\n0\n\n")),
    "an endless extension": (431, lambda: chunks(b"2;" + b"x" * 100000)),
    "an endless trailer": (431, lambda: chunks(b"0\r\n" + b"X: y\r\n" * 100000)),
    "a million small chunks": (413, lambda: chunks(b"1\r\n \r\n" * 100000)),
    "no length": (411, lambda: tokens(JSON + "\r\n")),
    "of another type": (415, lambda: tokens("Content-Type: text/xml\r\nContent-Length: 4\r\n\r\n<a/>")),
    "JSON nested 10,000 deep": (413, lambda: post(b"[" * 10000)),
    "JSON nested 4,000 deep": (400, lambda: post(b"[" * 2000 + b"]" * 2000)),
    "JSON nested in objects": (400, lambda: post(b'{"a":' * 800)),
    "no JSON": (400, lambda: post(os.urandom(3000))),
    "no UTF-8": (400, lambda: post(b'{"name":"\xff\xfe","role":"viewer"}')),
    "half a surrogate": (400, lambda: post(b'{"name":"\\ud800","role":"viewer"}')),
    "a 0 in a name": (422, lambda: post(b'{"name":"a\\u0000b","role":"viewer"}')),
    "a quote in a name": (422, lambda: post(b'{"name":"a\\"b","role":"viewer"}')),
    "markup in a name": (422, lambda: post(b'{"name":"<script>","role":"viewer"}')),
    "an escape sequence in a name": (422, lambda: post(b'{"name":"\\u001b[31m","role":"viewer"}')),
    "a name of 2,000 letters": (422, lambda: post(b'{"name":"' + b"a" * 2000 + b'","role":"viewer"}')),
    "an unknown member": (422, lambda: post(b'{"name":"a","role":"viewer","__proto__":{}}')),
    "a member twice": (422, lambda: post(b'{"name":"a","name":"b","role":"viewer"}')),
    "an unknown partition": (422, lambda: post(b'{"name":"a","role":"operator","partitions":["\\" or 1"]}')),
    "the number of a role": (422, lambda: post(b'{"name":"a","role":3}')),
}


@pytest.mark.parametrize("name", BODIES)
def test_body(lan, name):
    status, request = BODIES[name]
    assert refused(request()) == status
    assert_serves()


def test_no_name_came_through(lan):
    """Only what the console and this test made is in the table, and the serial line has seen no control character."""
    status, body = STATE["client"].get("/api/v1/tokens")
    assert status == 200 and {token["name"] for token in json.loads(body)["tokens"]} == {"first", "test"}
    assert "script" not in lan.command("token")


def client_hello():
    """The first flight of a handshake, as OpenSSL writes it."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    try:
        context().wrap_bio(incoming, outgoing).do_handshake()
    except ssl.SSLWantReadError:
        pass
    return outgoing.read()


def raw(data, half=True):
    """What comes back to bytes that stand in place of TLS; with `half` the sender then ends its side."""
    with STATE["client"].connect() as wire:
        try:
            wire.sendall(data)
            if half:
                wire.shutdown(1)
        except OSError:
            pass
        return read_all(wire)


ALERT = 21                              # a record of this type (RFC 5246, 6.2.1), or nothing, is all that may come


def test_truncated_tls(lan):
    hello = client_hello()
    for length in (1, 4, 5, 6, 9, 43, 44, 80, len(hello) - 1):
        answer = raw(hello[:length])
        assert not answer or answer[0] == ALERT, (length, answer)
    assert_serves()


def test_garbage_for_tls(lan):
    hello = client_hello()
    for data in (b"GET / HTTP/1.1\r\nHost: console\r\n\r\n", os.urandom(65536), bytes(65536), b"\xff" * 65536,
                 b"\x16\x03\x01\xff\xff" + bytes(70000), b"\x15\x03\x01\x00\x02\x02\x28", b"\x17\x03\x03\x00\x10" + bytes(16),
                 b"\x80\x2e\x01\x03\x01" + bytes(60), hello[:11] + os.urandom(len(hello) - 11),
                 b"\x16\x03\x01\x00\x00" * 5000, b"\x16\x03\x01\x00\x01\x01" * 5000):
        answer = raw(data, half=False) if data[:1] != b"\x00" else raw(data)
        assert not answer or answer[0] == ALERT, (data[:20], answer[:100])
    assert_serves()


def broken_record(change):
    """A handshake, then a request whose record was changed on the way; what the console then sends, decrypted or not."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = context().wrap_bio(incoming, outgoing)
    with STATE["client"].connect() as wire:
        while True:
            try:
                tls.do_handshake()
                break
            except ssl.SSLWantReadError:
                wire.sendall(outgoing.read())
                incoming.write(wire.recv(65536))
        if outgoing.pending:
            wire.sendall(outgoing.read())
        tls.write(with_token("GET", "/api/v1/partitions", "\r\n"))
        wire.sendall(change(outgoing.read()))
        wire.shutdown(1)
        return read_all(wire)


def flip(record):
    return record[:20] + bytes([record[20] ^ 1]) + record[21:]


def test_broken_records(lan):
    for change in (flip, lambda record: record[:-1], lambda record: record[:5], lambda record: record + record,
                   lambda record: b"\x17\x03\x03\xff\xff" + record, lambda record: record[:3] + b"\x00\x08" + record[5:]):
        answer = broken_record(change)
        assert b"partitions" not in answer
    assert_serves()


def test_reset_in_every_phase(lan):
    """Ten connections that are reset while the console answers: with a list, a document, a stream."""
    for path in ("/api/v1/partitions", "/api/v1/openapi.json", "/api/v1/events", "/api/v1/log", "/metrics") * 2:
        wire = STATE["client"].open()
        wire.sendall(STATE["client"].head("GET", path, "\r\n") * 3)
        reset(wire)
    assert_serves()


def test_pipelined(lan):
    """Fifty requests in one piece: some are answered, in order, then it may end, as more came than has room."""
    answer = STATE["client"].send(STATE["client"].head("GET", "/api/v1/partitions", "\r\n") * 50)
    assert answer.startswith(b"HTTP/1.1 200 "), answer[:100]
    assert len(re.findall(rb"HTTP/1\.1 (?!200)", answer)) == 0
    assert_serves()


def test_port_80(lan):
    client = Client(STATE["ports"][1])
    for data in (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * MIB, os.urandom(65536), bytes(1000), b"GET",
                 b"GET /\r\nSet-Cookie: a=b HTTP/1.1\r\nHost: a\r\n\r\n", b"GET / HTTP/1.1\r\nHost: a\rLocation: b\r\n\r\n"):
        with client.connect() as wire:
            try:
                wire.sendall(data)
                wire.shutdown(1)
            except OSError:
                pass
            answer = read_all(wire)
        assert not answer or status_of(answer) in (308, 400, 414, 431), answer
        assert b"Set-Cookie" not in answer
    assert_serves()


def test_a_thousand_at_once(lan):
    """From a guest on the same network, as QEMU forwards only some a second: its source gets half of the places."""
    to_shell(lan, "alpha")
    for _ in range(40):
        if "inet 10.0.2." in linux(lan, "alpha", "ip addr show eth0"):
            break
        linux(lan, "alpha", "sleep 1")
    text = linux(lan, "alpha", f"net-crowd {ADDRESS} 443 -n 1000 -t 4000", timeout=300)
    found = {key: int(number) for key, number in re.findall(r"(\w+)=(\d+)", text)}
    assert sum(found.values()) == 1000 and found["open"] <= 160, text
    linux(lan, "alpha", f"net-crowd {ADDRESS} 443 -n 1000 -t 60000 >/dev/null &")
    detach(lan)
    assert_serves()
    held = pools(lan)
    assert held["tls.connections"] <= 40, held
    again_in(lan, "alpha")
    linux(lan, "alpha", "killall net-crowd")
    detach(lan)


def test_memory_as_before(lan):
    assert not settle(lan, STATE["pools"])
    assert_serves()
    assert restarts(STATE["client"]) == 0
    audit_clean(lan)
