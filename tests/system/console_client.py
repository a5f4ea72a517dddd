"""Who asks the console over TLS: whole requests, and connections that are left half-way."""
import json
import socket
import ssl


def context():
    """Whoever connects knows the certificate by its fingerprint; here nobody stands in between."""
    settings = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    settings.check_hostname = False
    settings.verify_mode = ssl.CERT_NONE
    return settings


def read_all(wire, ends=(ssl.SSLError, ConnectionError)):
    """All that comes until the other one ends, by closing or in one of these ways."""
    data = b""
    while True:
        try:
            piece = wire.recv(65536)
        except ends:
            piece = b""
        if not piece:
            return data
        data += piece


def body_of(answer):
    """Of a whole answer, in chunks, of which the last is there (else a ValueError), or not."""
    head, _, body = answer.partition(b"\r\n\r\n")
    if b"chunked" not in head:
        return body
    whole = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        if not int(size, 16):
            return whole
        whole, body = whole + body[:int(size, 16)], body[int(size, 16) + 2:]


def status_of(answer):
    return int(answer.split()[1]) if answer.startswith(b"HTTP/1.1 ") else 0


class Client:
    """Of a machine whose port 443 is `port` of this host."""

    def __init__(self, port, token=None, seconds=60):
        self.port, self.token, self.seconds = port, token, seconds

    def connect(self):
        return socket.create_connection(("127.0.0.1", self.port), timeout=self.seconds)

    def open(self):
        """A connection that has shaken hands."""
        plain = self.connect()
        try:
            return context().wrap_socket(plain)
        except Exception:
            plain.close()
            raise

    def cipher(self):
        with self.open() as wire:
            return " ".join(map(str, wire.cipher()))

    def send(self, request):
        """All that is answered to these bytes, until the console hangs up."""
        with self.open() as wire:
            try:
                wire.sendall(request)
            except (ssl.SSLError, ConnectionError):
                pass
            return read_all(wire)

    def head(self, method, path, more=""):
        bearer = f"Authorization: Bearer {self.token}\r\n" if self.token else ""
        return f"{method} {path} HTTP/1.1\r\nHost: console\r\n{bearer}{more}".encode()

    def ask(self, method, path, body=b"", more=""):
        """The status and the body."""
        head = self.head(method, path, f"Connection: close\r\n{more}Content-Length: {len(body)}\r\n\r\n")
        answer = self.send(head + body)
        return status_of(answer), body_of(answer)

    def get(self, path):
        return self.ask("GET", path)

    def json(self, path):
        status, body = self.get(path)
        assert status == 200, (status, body)
        return json.loads(body)
