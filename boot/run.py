#!/usr/bin/python3
"""Starts a machine from a disk image made for a configuration, and connects this terminal to its serial line.

    run.py --machine kvm|qemu|bochs|... --conf PATH --serial stdio|tcp:PORT [--nic MODEL|none] [--forward RULES]
           [--https PORT]

Without a machine it takes the best that this host has, and says which and why. The machine has a network card on a
network of the emulator's own, from which guests reach this host and beyond; RULES let this host reach guests. PORT of
this host, or another one if that is taken, is port 443 of the machine's console, if that is on the network.
"""
import argparse
import collections
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import termios
import time
import tty

import emulators

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LEAVE = 1                               # Ctrl-A
CONSOLE = "10.0.2.15"                   # who asks first has it, and guests take their time
BOCHS_PATIENCE = ("Bochs interprets every instruction: the firmware takes about 15 seconds, loading the kernels of "
                  "Linux guests as long again, and a guest's boot a minute.")
PATIENCE = {"kvm": "The firmware takes a few seconds, and so does the boot of a Linux guest.",
            "qemu": "The firmware takes about 5 seconds, and the Linux guests have booted after some tens of seconds.",
            **{kind: BOCHS_PATIENCE for kind in emulators.KINDS if kind.startswith("bochs")}}

# What decides whether KVM can be used: `device` is None without /dev/kvm, or whether this user may open it; `nested`
# has the parameter of that name of the modules kvm_intel and kvm_amd, those that there are.
Host = collections.namedtuple("Host", ["device", "nested"])
NESTED = {"kvm_intel": "VT-x", "kvm_amd": "SVM"}


def look_at_host(device="/dev/kvm", modules="/sys/module"):
    nested = {}
    for module in NESTED:
        try:
            with open(os.path.join(modules, module, "parameters", "nested"), encoding="ascii") as file:
                nested[module] = file.read().strip()
        except OSError:
            pass
    return Host(os.access(device, os.R_OK | os.W_OK) if os.path.exists(device) else None, nested)


def nested_module(host):
    """The module of KVM that lets a guest have VT-x or SVM, or None."""
    return next((module for module, value in host.nested.items() if value in ("Y", "1")), None)


def no_kvm(host):
    """Why KVM cannot be used, and the cure; None if it can."""
    if host.device is None:
        return "this host has no /dev/kvm", "load kvm_intel or kvm_amd, on a host that lets you"
    if not host.device:
        return "/dev/kvm is not this user's to open", "join the group that owns it, often: sudo usermod -aG kvm $USER"
    if not nested_module(host):
        module = next(iter(host.nested), "kvm_intel or kvm_amd")
        return "this host's KVM does not nest", f"load {module} with the parameter nested=1"
    return None


def choose(host):
    """The best machine on this host, and why."""
    missing = no_kvm(host)
    if not missing:
        return "kvm", f"this host's KVM nests {NESTED[nested_module(host)]}, so that the CPU itself runs everything"
    return "qemu", (f"{missing[0]}, so QEMU emulates a machine with AMD SVM. MACHINE=bochs emulates one with Intel "
                    "VT-x, more slowly")


def rule_of(text):
    """"8080:10.0.2.15:80" as emulators.Nic wants it: port 8080 of this host is port 80 of the guest with that address."""
    parts = text.split(":")
    if len(parts) != 3 or not all(part.isdigit() and 0 < int(part) < 65536 for part in (parts[0], parts[2])):
        raise argparse.ArgumentTypeError(f"{text} is not PORT:ADDRESS:PORT, as in 8080:10.0.2.15:80")
    return int(parts[0]), parts[1], int(parts[2])


def nics_of(model, forward, https=None):
    """The machine's network cards; port `https` of this host, if any, is the console's."""
    if model == "none":
        return []
    rules = tuple(rule_of(text) for text in forward.split(",") if text)
    return [emulators.Nic(model=model or None, forward=rules + (((https, CONSOLE, 443),) if https else ()))]


def https_port(wanted):
    """`wanted`, if nobody listens there, or else another one; None for 0."""
    if not wanted:
        return None
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", wanted))
            return wanted
        except OSError:
            return emulators.free_port()


class Notice:
    """Looks at what the serial line prints, and says behind the line that makes it known how the console is reached."""

    ADDRESS = re.compile(rb"^\[console: https://([0-9.]+)/ on ")
    ESCAPE = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
    TOKEN = re.compile(rb"^\[console: token (bh_[0-9a-f_]+) ")

    def __init__(self, port):
        self.port = port
        self.token = b""
        self.line = b""

    def feed(self, data):
        """`data`, and what is to be said, each behind the line that it follows from."""
        out = b""
        for piece in re.findall(rb"[^\n]*\n|[^\n]+", data):
            out += piece
            self.line = (self.line + piece)[-256:]
            if piece.endswith(b"\n"):
                out += self.look(self.line.strip())
                self.line = b""
        return out

    def look(self, line):
        # What the line was drawn over is gone.
        line = self.ESCAPE.sub(b"", line).rpartition(b"\r")[2]
        token, address = self.TOKEN.search(line), self.ADDRESS.search(line)
        if token:
            self.token = b" token " + token.group(1)
        if not address or not self.port:
            return b""
        if address.group(1) != CONSOLE.encode():
            return (b"[run] the console is not at " + CONSOLE.encode() + b", to which port %d of this host leads\r\n"
                    % self.port)
        return b"[run] https://localhost:%d/%s\r\n" % (self.port, self.token)


def say(text):
    """Also right while the terminal is raw."""
    sys.stderr.write("\r[run] " + text.replace("\n", "\r\n") + "\r\n")
    sys.stderr.flush()


def make_image(conf, image):
    """The exit status of `make image`, whose words go to this terminal."""
    command = ["make", "--no-print-directory", "-s", "image", "CONF=" + os.path.abspath(conf), "IMG=" + image]
    return subprocess.run(command, cwd=TOP, check=False).returncode


class Keys:
    """What is typed, on its way to the machine. Ctrl-A x leaves; Ctrl-A twice sends one."""

    def __init__(self):
        self.escaped = False
        self.leave = False

    def feed(self, typed):
        out = bytearray()
        for byte in typed:
            if self.escaped:
                self.escaped = False
                if byte in b"xX":
                    self.leave = True
                    break
                out += bytes([byte]) if byte == LEAVE else bytes([LEAVE, byte])
            elif byte == LEAVE:
                self.escaped = True
            else:
                out.append(byte)
        return bytes(out)


def converse(serial, process, notice):
    """Until the machine ends or the person leaves. A terminal is raw meanwhile and restored in any case."""
    keys, heard, began = Keys(), False, time.monotonic()
    inputs = [serial, sys.stdin.fileno()]
    while not keys.leave:
        ready = select.select(inputs, [], [], 5)[0]
        if serial in ready:
            data = serial.recv(4096)
            if not data:
                break
            heard = True
            os.write(sys.stdout.fileno(), notice.feed(data))
        if sys.stdin.fileno() in ready:
            typed = os.read(sys.stdin.fileno(), 256)
            if not typed:               # end of a file or pipe: listen on
                inputs.remove(sys.stdin.fileno())
            slowly(serial, keys.feed(typed))
        if process.poll() is not None and not ready:
            break
        if not heard and not ready:
            say(f"waiting for the firmware, {time.monotonic() - began:.0f} s")
    return keys.leave


def slowly(serial, data):
    """A UART's queue holds 16 characters; what is pasted must not overrun it."""
    for start in range(0, len(data), 8):
        serial.sendall(data[start:start + 8])
        if len(data) > 8:
            time.sleep(0.02)


def with_terminal(serial, process, notice):
    if not sys.stdin.isatty():
        return converse(serial, process, notice)
    before = termios.tcgetattr(sys.stdin)
    try:
        tty.setraw(sys.stdin)
        return converse(serial, process, notice)
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)


def serve(port, process):
    say(f"the serial line is on TCP port {port} of this host; the machine starts when a client connects, "
        f"for example: nc localhost {port}")
    process.wait()
    return False


def run(options, scratch):
    image = os.path.join(TOP, "build", "run.img")
    say(f"making {image} from {options.conf}")
    if make_image(options.conf, image):
        return 1
    port = int(options.serial[4:]) if options.serial != "stdio" else emulators.free_port()
    say(PATIENCE[options.machine])
    process = emulators.KINDS[options.machine](image, scratch, port, nics=options.nics)
    try:
        if options.serial != "stdio":
            if options.https:
                say(f"https://localhost:{options.https}/ is the console, if it is on the network; the serial line shows "
                    "a token")
            left = serve(port, process)
        else:
            say("To leave: Ctrl-A x. To send Ctrl-A: type it twice. The machine's own way to end is `poweroff`.")
            left = with_terminal(emulators.connect(process, port), process, Notice(options.https))
        if not left:
            time.sleep(0.5)
        say("left: the machine is switched off" if left else "the machine has ended")
    except KeyboardInterrupt:
        say("interrupted: the machine is switched off")
    finally:
        emulators.kill(process)
    return 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--machine", choices=["", *emulators.KINDS], default="", metavar="|".join(emulators.KINDS))
    parser.add_argument("--conf", default="build/demo/bulkhead.conf")
    parser.add_argument("--serial", default="stdio")
    parser.add_argument("--nic", default="", help="e1000, e1000e, virtio-net-pci or none (Bochs: e1000 or none)")
    parser.add_argument("--forward", default="", metavar="PORT:ADDRESS:PORT,...")
    parser.add_argument("--https", type=int, default=8443, help="port of this host for the console; 0: none")
    options = parser.parse_args()
    options.https = https_port(options.https) if options.nic != "none" else None
    try:
        options.nics = nics_of(options.nic, options.forward, options.https)
    except argparse.ArgumentTypeError as error:
        parser.error(f"FORWARD: {error}")
    if options.serial != "stdio" and not (options.serial[:4] == "tcp:" and options.serial[4:].isdigit()):
        parser.error("SERIAL is stdio or tcp:PORT")
    host = look_at_host()
    if not options.machine:
        options.machine, why = choose(host)
        say(f"MACHINE={options.machine}: {why}.")
    elif options.machine == "kvm" and no_kvm(host):
        parser.error("MACHINE=kvm: {}. Cure: {}.".format(*no_kvm(host)))
    with tempfile.TemporaryDirectory(prefix="bulkhead-") as scratch:
        return run(options, scratch)


if __name__ == "__main__":
    sys.exit(main())
