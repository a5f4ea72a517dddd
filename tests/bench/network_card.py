"""UDP through the machine's network card and back: what a packet costs, in instructions of all CPUs."""
import os
import re
import socket
import threading

from counters import Counts, by_cpu, slope
import emulators
from machine import BUILD, PROMPT, Machine, stage
from natives import LINUX, LINUX_LINE, linux, to_shell

# No leaps while everybody waits for the wire: a leap leads to the next tick, and its instructions would count.
ICOUNT = ("-icount", "shift=0")
SECONDS = 600
FOLDER = os.path.join(BUILD, "bench")
OURS, PEER, PEER_MAC = "10.6.0.1", "10.6.0.2", bytes.fromhex("02aa00000063")
PACKET, PORT = 1000, 7                  # bytes; of the echo service
SHORT, LONG = 2000, 22000               # packets each way
ARP, IPV4, UDP = b"\x08\x06", b"\x08\x00", 17


def answer(frame):
    """What the peer sends back: to ARP its address, and UDP as it came; otherwise nothing."""
    sender, kind = frame[6:12], frame[12:14]
    if kind == ARP and frame[20:22] == b"\0\1" and frame[38:42] == socket.inet_aton(PEER):
        return sender + PEER_MAC + frame[12:20] + b"\0\2" + PEER_MAC + frame[38:42] + frame[22:32]
    if kind == IPV4 and frame[14] == 0x45 and frame[23] == UDP and frame[30:34] == socket.inet_aton(PEER):
        return (sender + PEER_MAC + frame[12:26] + frame[30:34] + frame[26:30] + frame[36:38] + frame[34:36]
                + frame[38:])
    return None


class Peer:
    """Whoever is at the other end of the wire, a UDP port of this host: each datagram is a frame."""

    def __init__(self):
        self.card = emulators.free_port()
        self.wire = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.wire.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self.wire.bind(("127.0.0.1", 0))
        self.nic = emulators.Nic("e1000e", f"socket,udp=127.0.0.1:{self.wire.getsockname()[1]},"
                                           f"localaddr=127.0.0.1:{self.card}")
        self.thread = threading.Thread(target=self.run, daemon=True)
        self.thread.start()

    def run(self):
        while True:
            frame = self.wire.recv(65536)
            if not frame:
                return
            back = answer(frame)
            if back:
                self.wire.sendto(back, ("127.0.0.1", self.card))

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", self.wire.getsockname())
        self.thread.join()
        self.wire.close()


def echo(machine, counts, name, packets):
    """So many packets there and back; returns what each CPU executed meanwhile."""
    before = counts.read()
    text = linux(machine, name, f"net-pour echo {PEER} {PORT} -n {packets} -s {PACKET}", timeout=SECONDS)
    after = counts.read()
    lost = int(re.search(r" lost=(\d+)", text).group(1))
    assert lost < packets / 1000, text
    return by_cpu(before, after)


def a_packet(machine, counts, name):
    """Instructions per packet there and back, by CPU."""
    linux(machine, name, f"net-pour echo {PEER} {PORT} -n 100 -s {PACKET}")         # addresses are known from here on
    short = echo(machine, counts, name, SHORT)
    return slope(short, echo(machine, counts, name, LONG), LONG - SHORT)


def measure(name, conf, set_up, **options):
    peer, counts = Peer(), Counts(name)
    extra = options.pop("options", ())
    machine = Machine(conf, kind="qemu", name="bench-" + name, nics=[peer.nic],
                      options=(*ICOUNT, *counts.options, *extra), **options)
    try:
        guest = set_up(machine)
        return a_packet(machine, counts, guest)
    finally:
        machine.close()
        counts.close()
        peer.close()


def set_up_native(machine):
    machine.expect("^native# ", SECONDS)
    for line in ("insmod /lib/modules/e1000e.ko", f"ip addr add {OURS}/24 dev eth0", "ip link set eth0 up", "sleep 3"):
        linux(machine, "native", line)
    return "native"


def measure_native():
    """Linux as the only system; see boot_time.py. This kernel is the one of the same version that has the driver."""
    line = LINUX_LINE + " hostname=native"
    options = ("-kernel", os.path.join(FOLDER, "vmlinuz"), "-initrd", os.path.join(FOLDER, "card.img"), "-append", line)
    return measure("nic-native", os.path.join(BUILD, "demo", "bulkhead.conf"), set_up_native, cpus=1, memory=512,
                   options=options)


def set_up_ours(machine):
    machine.expect("^" + PROMPT, SECONDS)
    to_shell(machine, "alpha")
    return "alpha"


def measure_ours():
    conf = ("[machine]\ntrusted-for-dma = net\n[network lan]\nnic = ethernet\n[guest alpha]\nkernel = vmlinuz\n"
            f"initrd = initramfs.img\ncommand-line = {LINUX_LINE} hostname=alpha ip={OURS}/24\nmemory = 128M\n"
            f"cpus = dedicated 1\nnetworks = lan\n")
    return measure("nic-ours", stage("bench-nic", conf, LINUX), set_up_ours)


def measure_nic(result):
    ours, native = measure_ours(), sum(measure_native())
    for cpu, instructions in enumerate(ours[:2]):
        result[f"net.nic.cpu{cpu}"] = round(instructions)
    result["net.nic.ours"] = round(sum(ours))
    result["net.nic.native"] = round(native)
    result["net.nic"] = round(native / sum(ours), 3)
