#!/usr/bin/python3
"""What the console on the network can take: requests by the second, against nginx in a native Linux.

    console.py [requests]

README.md says how each is computed.
"""
import argparse
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]
from console_client import Client  # noqa: E402
from machine import BUILD, PROMPT, TOP, Machine, emulators, stage  # noqa: E402
from natives import LINUX, LINUX_LINE, guest, linux  # noqa: E402

ALL = ("requests",)
ADDRESS = "10.0.2.15"
FOLDER = os.path.join(BUILD, "bench")
HOST = os.path.join(FOLDER, "host", "usr")
SECONDS = 600
CPUS, MEMORY = 4, 1024                  # of both machines
CONNECTIONS, ROUNDS, ROUND_SECONDS = 8, 4, 6


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
    return machine, Client(port, re.search(r"^(bh_\S+)$", text, re.M).group(1))


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
        size = len(client.get("/api/v1/partitions")[1])
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


MEASURES = {"requests": measure_requests}


def measure_console(result, what=ALL):
    for name in what:
        MEASURES[name](result)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", nargs="*", default=ALL)
    os.chdir(TOP)
    result = {}
    try:
        measure_console(result, parser.parse_args().what)
    finally:
        for key in sorted(result):
            print(f"{key:40} {result[key]:>10}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
