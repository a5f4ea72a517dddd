"""Speaks to the console over TLS, from this host."""
import hashlib
import json
import re
import socket
import ssl

from console_client import body_of, context, read_all
from machine import PROMPT

ADDRESS = "10.0.2.15"                   # the first that the emulators' user network gives by DHCP


class Console:
    """The console behind a port of this host; `forward` is the rule for emulators.Nic that leads there."""

    def __init__(self, port, seconds=60):
        self.port = port
        self.seconds = seconds
        self.forward = (port, ADDRESS, 443)
        self.headers = {}               # of the last answer, their names in small letters
        self.digest = None              # SHA-256 of the certificate that was shown last
        self.version = None             # and of TLS which

    def exchange(self, request):
        """All that comes until the peer closes."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=self.seconds) as plain:
            with context().wrap_socket(plain) as wire:
                self.digest = hashlib.sha256(wire.getpeercert(True)).hexdigest()
                self.version = wire.version()
                wire.sendall(request)
                return read_all(wire, ssl.SSLEOFError)

    def api(self, method, path, token, body=b""):
        """The status and what the JSON of the answer says."""
        head = (f"{method} /api/v1/{path} HTTP/1.1\r\nHost: console\r\nConnection: close\r\n"
                f"Authorization: Bearer {token}\r\nContent-Length: {len(body)}\r\n\r\n")
        answer = self.exchange(head.encode() + body)
        lines = answer.partition(b"\r\n\r\n")[0].decode().split("\r\n")
        self.headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines[1:])}
        rest = body_of(answer)
        return int(lines[0].split()[1]), json.loads(rest) if rest else None

    def names(self, token):
        """The names of the partitions that a token lets one see."""
        status, answer = self.api("GET", "partitions", token)
        assert status == 200, answer
        return [partition["name"] for partition in answer["partitions"]]


def fingerprint(machine):
    """Of the certificate, as the serial line shows it."""
    text = machine.command("address")
    return re.search(r"^((?:[0-9A-F]{2}:){31}[0-9A-F]{2})$", text, re.M).group(1).replace(":", "").lower()


def said(machine, pattern, timeout=60):
    """What the console has said since its prompt was there, or will say."""
    machine.position = machine.text.index(PROMPT)
    return machine.expect(pattern, timeout)


def first_token(machine):
    """The one that the serial line shows when there was none."""
    return said(machine, r"\[console: token (bh_[0-9a-f_]{57}) of administrator first, for this boot\]").group(1)


def new_token(machine, *words):
    text = machine.command("token new " + " ".join(words))
    return re.search(r"^(bh_\S+)$", text, re.M).group(1)
