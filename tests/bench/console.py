#!/usr/bin/python3
"""What the console on the network can take: requests by the second, against nginx in a native Linux.

    console.py [requests] [memory] [soak]

README.md says how each is computed.
"""
import functools
import os
import re
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]
import command_line  # noqa: E402
from console_client import Client, status_of  # noqa: E402
from console_wear import at_once, drop, pools, restarts, settle, slow_reader, slow_writer  # noqa: E402
from machine import BUILD, PROMPT, Machine, emulators, stage  # noqa: E402
from natives import LINUX, LINUX_LINE, again_in, detach, guest, linux, to_shell  # noqa: E402

ALL = ("requests", "memory", "soak")
ADDRESS = "10.0.2.15"
FOLDER = os.path.join(BUILD, "bench")
HOST = os.path.join(FOLDER, "host", "usr")
SECONDS = 600
CPUS, MEMORY = 4, 1024                  # of both machines
CONNECTIONS, ROUNDS, ROUND_SECONDS = 8, 4, 10
OPEN = 32                               # connections, for the memory
SOAK_REQUESTS, SOAK_DROPS = 50000, 500


def wrk(port, path, token=None, seconds=ROUND_SECONDS):
    """Requests by the second on connections that stay; not one may fail."""
    command = [os.path.join(HOST, "bin", "wrk"), "-t1", f"-c{CONNECTIONS}", f"-d{seconds}s", "--timeout", "30s"]
    if token:
        command += ["-H", "Authorization: Bearer " + token]
    libraries = {"LD_LIBRARY_PATH": os.path.join(HOST, "lib", "x86_64-linux-gnu")}
    text = subprocess.run([*command, f"https://127.0.0.1:{port}{path}"], env=dict(os.environ, **libraries),
                          check=True, capture_output=True, text=True).stdout
    assert "Socket errors" not in text and "Non-2xx" not in text, text
    return float(re.search(r"Requests/sec:\s+([\d.]+)", text).group(1))


def start_ours():
    """Two Linux guests beside the console, and a token."""
    port = emulators.free_port()
    conf = ("[machine]\ntrusted-for-dma = net\nconsole = lan\n[network lan]\nnic = ethernet\n"
            + guest("alpha", "dedicated 1", more="networks = lan") + guest("beta", "dedicated 2", more="networks = lan"))
    nic = emulators.Nic("e1000e", forward=((port, ADDRESS, 443),))
    machine = Machine(stage("bench-console", conf, LINUX), kind="qemu", name="bench-console", cpus=CPUS, memory=MEMORY,
                      nics=[nic])
    machine.expect("^" + PROMPT, SECONDS)
    machine.expect(rf"\[console: https://{ADDRESS}/ on lan\]", SECONDS)
    text = machine.command("token new bench administrator")
    return machine, Client(port, re.search(r"^(bh_[0-9a-f]{8}_[0-9a-f]{48})$", text, re.M).group(1))


def start_native(size):
    """Linux as the only system, with nginx and a file of so many bytes; see network_card.py."""
    port = emulators.free_port()
    line = LINUX_LINE + " hostname=native"
    options = ("-kernel", os.path.join(FOLDER, "vmlinuz"), "-initrd", os.path.join(FOLDER, "nginx.img"), "-append", line)
    machine = Machine(os.path.join(BUILD, "demo", "bulkhead.conf"), kind="qemu", name="bench-nginx", cpus=CPUS,
                      memory=MEMORY, options=options, nics=[emulators.Nic("e1000e", forward=((port, ADDRESS, 443),))])
    machine.expect("^native# ", SECONDS)
    for command in ("insmod /lib/modules/e1000e.ko", f"ip addr add {ADDRESS}/24 dev eth0", "ip link set eth0 up",
                    "ip link set lo up", f"head -c {size} /dev/zero | tr '\\0' x >/srv/partitions", "sleep 3",
                    "/usr/sbin/nginx; echo nginx=$?"):
        text = linux(machine, "native", command)
    assert "nginx=0" in text, text
    return machine, Client(port)


def measure_requests(result):
    """Both machines are up; they take turns, and of each the most counts, as what disturbs only ever slows."""
    machine, client = start_ours()
    try:
        status, text = client.get("/api/v1/partitions")
        assert status == 200, text
        size = len(text)
        reference, other = start_native(size)
        try:
            result["console.requests.bytes"] = size
            for name, one in (("ours", client), ("native", other)):
                print(f"console.requests: {name}: {one.cipher()}")
            ours, native = [], []
            for _ in range(ROUNDS):
                native.append(wrk(other.port, "/partitions"))
                ours.append(wrk(client.port, "/api/v1/partitions", client.token))
                print(f"console.requests: ours {ours[-1]:.1f}, native {native[-1]:.1f}", flush=True)
        finally:
            reference.close()
    finally:
        machine.close()
    result["console.requests.ours"] = round(max(ours), 1)
    result["console.requests.native"] = round(max(native), 1)
    result["console.requests"] = round(max(ours) / max(native), 3)


def held_by_guest(machine, connections):
    """A guest opens as many and says nothing: one source has half of the console's places at most."""
    again_in(machine, "alpha")
    linux(machine, "alpha", f"net-crowd {ADDRESS} 443 -n {connections} -t 60000 >/dev/null &")
    linux(machine, "alpha", "sleep 1")
    detach(machine)


def measure_memory(result):
    """Half of the connections from this host, with a request done, the others from a guest, in their handshakes."""
    machine, client = start_ours()
    try:
        to_shell(machine, "alpha")
        for _ in range(40):
            if "inet 10.0.2." in linux(machine, "alpha", "ip addr show eth0"):
                break
            linux(machine, "alpha", "sleep 1")
        detach(machine)
        wires = [client.open() for _ in range(OPEN // 2)]
        for wire in wires:
            wire.sendall(client.head("GET", "/api/v1/partitions", "\r\n"))
            assert status_of(wire.recv(65536)) == 200
        held_by_guest(machine, OPEN // 2)
        held = pools(machine)
        assert held["tls.connections"] == OPEN, held
        result["console.memory.connections"] = held["tls.connections"]
        result["console.memory.tls"] = held["tls.heap_bytes"]
        result["console.memory"] = int(re.search(r"^\s*console\s+(\d+) MiB", machine.command("mem"), re.M).group(1))
    finally:
        machine.close()


def measure_soak(result):
    """What the pools hold after all time-outs, against before: the sum of the differences, of bytes and of pieces."""
    machine, client = start_ours()
    try:
        client.seconds = SECONDS
        assert client.get("/api/v1/partitions")[0] == 200
        machine.progress(30)
        before = pools(machine)
        wear = [functools.partial(slow_writer, client, 60), functools.partial(slow_reader, client, 60)] * 4
        slow = threading.Thread(target=at_once, args=wear)
        slow.start()
        done = 0
        while done < SOAK_REQUESTS:
            done += round(20 * wrk(client.port, "/api/v1/partitions", client.token, 20))
            print(f"console.soak: {done} requests", flush=True)
        for number in range(SOAK_DROPS):
            drop(client, number)
        slow.join()
        found = settle(machine, before)
        print(f"console.soak: before {before}, different {found}")
        assert restarts(client) == 0
        result["console.soak.requests"], result["console.soak.drops"] = done, SOAK_DROPS
        result["console.soak"] = sum(map(abs, found.values()))
    finally:
        machine.close()


MEASURES = {"requests": measure_requests, "memory": measure_memory, "soak": measure_soak}


def measure_console(result, what=ALL):
    for name in what:
        MEASURES[name](result)


if __name__ == "__main__":
    command_line.run(__doc__, ALL, measure_console)
