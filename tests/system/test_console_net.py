"""The console on a network: its address, TLS and what goes before it, from this host and from a guest."""
import json
import socket
import threading
import time

import pytest

import emulators
from console_client import read_all
from https import ADDRESS, Console, fingerprint, new_token
from machine import PROMPT
from natives import LINUX, again_in, audit_clean, detach, guest, linux, to_shell, wait_state

pytestmark = [pytest.mark.machines("qemu"), pytest.mark.steps]

REQUEST = b"GET / HTTP/1.1\r\nHost: console\r\nConnection: close\r\n\r\n"
PORTS = {}                              # of this host, by the console's


@pytest.fixture(scope="module")
def lan(group):
    PORTS.update({port: emulators.free_port() for port in (80, 443)})
    forward = tuple((PORTS[port], ADDRESS, port) for port in PORTS)
    conf = ("[machine]\ntrusted-for-dma = net\nconsole = lan hostname rack\n[network lan]\nnic = ethernet\n"
            + guest("alpha", "dedicated 1", more="networks = lan"))
    return group.start("console-net", conf, LINUX, nics=[emulators.Nic("e1000e", forward=forward)])


def connect(port, seconds=30):
    return socket.create_connection(("127.0.0.1", PORTS[port]), timeout=seconds)


def ask(request=REQUEST):
    """What comes over TLS, the protocol's version and the certificate's SHA-256."""
    console = Console(PORTS[443])
    return console.exchange(request), console.version, console.digest


def api(method, path, token):
    return Console(PORTS[443]).api(method, path, token)


def assert_serves():
    data, _, _ = ask()
    assert data.startswith(b"HTTP/1.1 "), data


def test_address_by_dhcp(lan):
    lan.expect("^" + PROMPT, 120)
    lan.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    assert f"https://{ADDRESS}/ on lan" in lan.command("address")
    assert f"<console> https://{ADDRESS}/ on lan" in lan.command("log 100")
    assert "console.0" in lan.command("net lan")


def test_tls(lan):
    """TLS 1.2, with the certificate whose fingerprint the serial line shows."""
    data, version, digest = ask()
    assert data.startswith(b"HTTP/1.1 "), data
    assert version == "TLSv1.2" and digest == fingerprint(lan)


def test_api(lan):
    """A token from the serial line opens the API, which does what the serial line does."""
    assert api("GET", "partitions", "bh_0_nonsense")[0] == 401
    token = new_token(lan, "root", "administrator")
    status, answer = api("GET", "partitions", token)
    assert status == 200 and "alpha" in json.dumps(answer), answer
    assert api("GET", "partitions/nobody", token)[0] == 404
    assert api("POST", "partitions/alpha/pause", token)[0] in (200, 202)
    wait_state(lan, "alpha", "paused")
    assert api("POST", "partitions/alpha/resume", token)[0] in (200, 202)
    wait_state(lan, "alpha", "running")
    assert "root" in json.dumps(api("GET", "audit", token)[1])
    assert "root" in lan.command("token")


def test_operator_sees_his_own_only(lan):
    token = new_token(lan, "op", "operator", "alpha")
    status, answer = api("GET", "partitions", token)
    assert status == 200 and "alpha" in json.dumps(answer) and '"net"' not in json.dumps(answer), answer
    assert api("GET", "partitions/net", token)[0] == 404
    assert api("POST", "partitions/net/stop", token)[0] == 404
    lan.command("token revoke op")
    assert api("GET", "partitions", token)[0] == 401


def test_port_80_sends_to_https(lan):
    for request, location in ((b"GET /a?b=c HTTP/1.1\r\nHost: console:8080\r\n\r\n", "https://console/a?b=c"),
                              (b"POST / HTTP/1.0\r\n\r\n", f"https://{ADDRESS}/")):
        with connect(80) as wire:
            wire.sendall(request)
            head, _, body = read_all(wire, ()).decode().partition("\r\n\r\n")
        assert head.startswith("HTTP/1.1 308 ") and f"Location: {location}\r\n" in head and not body, head


def test_many_at_once(lan):
    """Twenty from one source, all of which are served."""
    answers = []
    threads = [threading.Thread(target=lambda: answers.append(ask()[0])) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 20 and all(data.startswith(b"HTTP/1.1 ") for data in answers), answers


def test_silent_and_broken_ones(lan):
    """Connections that say nothing, on both ports, take nobody's place; nonsense ends only the one that it came by."""
    silent = [connect(port) for port in (443, 80) for _ in range(25)]
    time.sleep(2)                       # in its first half of a second nobody is put off for another
    assert_serves()
    for nonsense in (b"\x16\x03\x01\xff\xff" + bytes(70000), REQUEST, b"\x16\x03\x01\x00\x05\x01\x00\x00\x01\x00"):
        with connect(443) as wire:
            try:
                wire.sendall(nonsense)
                wire.shutdown(socket.SHUT_WR)
                while wire.recv(4096):
                    pass
            except OSError:
                pass
    assert_serves()
    time.sleep(6)                       # port 80 gives each five seconds
    with connect(80) as wire:
        wire.sendall(REQUEST)
        assert read_all(wire, ()).startswith(b"HTTP/1.1 308 ")
    for wire in silent:
        wire.close()
    assert "exit code" not in lan.command("log 100")


def test_ping_and_flood_from_a_guest(lan):
    """A guest reaches the console through the switch; a hundred silent connections stop neither it nor the line."""
    to_shell(lan, "alpha")
    for _ in range(40):
        if "inet 10.0.2." in linux(lan, "alpha", "ip addr show eth0"):
            break
        linux(lan, "alpha", "sleep 1")
    assert "3 packets received" in linux(lan, "alpha", f"ping -c 3 {ADDRESS}")
    linux(lan, "alpha", "mkfifo /quiet; exec 9<>/quiet")
    linux(lan, "alpha", f"quiet() {{ nc {ADDRESS} 443 <&9 >/dev/null 2>&1 & }}")
    linux(lan, "alpha", "for i in $(seq 100); do quiet; done; sleep 2", 300)
    detach(lan)
    assert_serves()
    assert "console.0" in lan.command("net console")
    again_in(lan, "alpha")
    linux(lan, "alpha", "killall nc; exec 9<&-")
    detach(lan)


def test_net_service_restarts(lan):
    digest = fingerprint(lan)
    lan.command("restart net")
    wait_state(lan, "net", "running")
    lan.progress(3)
    data, _, again = ask()
    assert data.startswith(b"HTTP/1.1 ") and again == digest
    lan.command("stop net")
    lan.progress(2)
    assert "no address" in lan.command("address")
    lan.command("start net")
    lan.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    assert_serves()


def test_cable(lan):
    assert "link taken down" in lan.command("link console down")
    lan.progress(2)
    assert "no address" in lan.command("address")
    lan.command("link console up")
    lan.expect(rf"\[console: https://{ADDRESS}/ on lan\]", 60)
    assert_serves()
    audit_clean(lan)
