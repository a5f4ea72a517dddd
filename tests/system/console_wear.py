"""What strangers do to the console: many requests, connections left half-way, slow ones; and what it holds of memory."""
import re
import socket
import struct
import threading
import time

from console_client import read_all, status_of

# After this, all that a connection may take for itself is over: 30 s idle, 20 s of TIME-WAIT, and some for the way.
PATIENCE = 120
HELLO = bytes.fromhex("160301010001000100fc0303") + bytes(40)       # the beginning of a ClientHello that says 256 bytes
BODY = "POST", "/api/v1/tokens", "Content-Type: application/json\r\nContent-Length: 2000\r\n\r\n"


def pools(machine):
    """What the network's pools hold now."""
    text = machine.command("address -k")
    return {key: int(number) for key, number in re.findall(r"^(\S+) (\d+)$", text, re.M) if not key.endswith(".room")}


def differences(before, after):
    return {key: after[key] - before[key] for key in before if after[key] != before[key]}


def settle(machine, before, seconds=PATIENCE):
    """Waits until the pools hold what they held before; what is different then, or in the end."""
    deadline = time.monotonic() + seconds
    while True:
        found = differences(before, pools(machine))
        if not found or time.monotonic() > deadline:
            return found
        machine.progress(3)


def restarts(client):
    """How often the kernel had to start the console anew; its tokens would be gone, too."""
    status, text = client.get("/metrics")
    assert status == 200, text
    return int(re.search(rb"^bulkhead_console_restarts (\d+)$", text, re.M).group(1))


def reset(wire):
    """Ends it by RST, not by FIN."""
    wire.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    wire.close()


# ---- left half-way: each returns the open connection ----

def in_tcp(client):
    return client.connect()


def in_handshake(client):
    wire = client.connect()
    wire.sendall(HELLO)
    return wire


def in_head(client):
    wire = client.open()
    wire.sendall(client.head("GET", "/api/v1/partitions", "X-Half: "))
    return wire


def in_body(client):
    wire = client.open()
    wire.sendall(client.head(*BODY) + b'{"name":')
    return wire


HALVES = in_tcp, in_handshake, in_head, in_body


def drop(client, number):
    """Connection `number` of many: by turns half-way in each phase, and ended in order or not."""
    try:
        wire = HALVES[number % len(HALVES)](client)
    except OSError:
        return                          # no place was free
    if number // len(HALVES) % 2:
        reset(wire)
    else:
        wire.close()


# ---- slow ----

def slow_writer(client, seconds):
    """A byte of the head each second: the status of what it is told, 0 if it is only hung up on."""
    with client.open() as wire:
        wire.settimeout(1)
        answer = b""
        deadline = time.monotonic() + seconds
        try:
            wire.sendall(client.head("GET", "/api/v1/partitions", "X-Slow: "))
            while not answer and time.monotonic() < deadline:
                wire.sendall(b"x")
                try:
                    answer = wire.recv(4096)
                except TimeoutError:
                    pass
        except OSError:
            pass
        return status_of(answer)


def slow_reader(client, seconds):
    """Asks for much and reads none of it; true: it was hung up on."""
    with client.open() as wire:
        wire.settimeout(2)
        request = client.head("GET", "/api/v1/openapi.json", "\r\n")
        try:
            wire.sendall(request * 10)
            for _ in range(40):
                wire.sendall(request)
                time.sleep(0.05)
        except OSError:
            pass
        time.sleep(seconds)
        wire.settimeout(client.seconds)
        return status_of(read_all(wire)) in (0, 200)


def at_once(*works):
    """Runs them beside each other; what each returned, in their order."""
    results = [None] * len(works)

    def run(number):
        results[number] = works[number]()
    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return results


def keep_asking(client, count):
    """So many requests for the partition list on one connection; how many were answered with 200."""
    answered = 0
    request = client.head("GET", "/api/v1/partitions", "\r\n")
    with client.open() as wire:
        for _ in range(count):
            wire.sendall(request)
            data = wire.recv(65536)
            length = int(re.search(rb"Content-Length: (\d+)", data).group(1))
            while len(data.partition(b"\r\n\r\n")[2]) < length:
                data += wire.recv(65536)
            answered += status_of(data) == 200
    return answered
