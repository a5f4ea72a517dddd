"""How the emulators are started: the one place for their command lines.

`make run`, the system tests and the benchmarks all come here. Each function starts a machine in a process group
of its own, in a scratch folder, with its serial line on a TCP port of this host, and returns the process; the
machine runs once a client has connected to the port.
"""
import ctypes
import functools
import os
import shutil
import signal
import socket
import subprocess
import time

FIRMWARE = "/usr/share/ovmf/OVMF.fd"

# Instructions that Bochs takes for a second. Lower is cheaper to wait for: with several CPUs an emulated second
# costs what this many instructions cost, idle CPUs included. Firmware waits by the clock as well, so power-on is
# faster, too. Below about 5 million a Linux guest has too few instructions between two ticks.
BOCHS_IPS = 10000000

# Bochs' CPU, and others that a machine can have: a kind is named `bochs-sandy_bridge`.
BOCHS_MODEL = "corei7_skylake_x"
BOCHS_MODELS = {
    "sandy_bridge": "corei7_sandy_bridge_2600k",    # VT-x of 2011: no RDRAND, no TSC scaling
    "tigerlake": "tigerlake",                       # VT-x of 2020
    "ryzen": "ryzen",                               # AMD: SVM with nested paging
}

BOCHSRC = """\
config_interface: textconfig
display_library: rfb, options="timeout=0"
memory: guest={memory}, host={memory}
romimage: file={firmware}, address=0x0, options=none
vgaromimage: file=/usr/share/bochs/VGABIOS-lgpl-latest
vga: extension=vbe, update_freq=1
pci: enabled=1, chipset=i440fx
cpu: model={model}, count={cpus}, ips={ips}, quantum={quantum}, reset_on_triple_fault=1
cpuid: apic=x2apic
clock: sync=none, time0=local
ata0: enabled=1, ioaddr1=0x1f0, ioaddr2=0x3f0, irq=14
ata0-master: type=disk, path="disk.img", mode=flat
boot: disk
com1: enabled=1, mode=socket-server, dev=localhost:{port}
sound: waveoutdrv=dummy, waveindrv=dummy, midioutdrv=dummy
speaker: enabled=1, mode=sound
mouse: enabled=0
log: bochs.log
debugger_log: -
panic: action=fatal
error: action=ignore
info: action=ignore
debug: action=ignore
"""


def free_port():
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def bochs(image, scratch, port, cpus=4, memory=1024, model=BOCHS_MODEL, ips=BOCHS_IPS, quantum=16,
          debugger=False):
    """
    VT-x with EPT, or what else the model has. `memory` in MiB. The debugger that Debian builds in is told to go on,
    and to quit at the end; with `debugger` to go on, and then, when SIGINT or a breakpoint stops the machine, it takes
    commands from the process' stdin and answers on its stdout.
    """
    # A copy: Bochs writes to its disk, and locks it.
    subprocess.run(["cp", "--sparse=always", image, os.path.join(scratch, "disk.img")], check=True)
    rc = BOCHSRC.format(firmware=FIRMWARE, port=port, cpus=cpus, memory=memory,
                        model=model, ips=ips, quantum=quantum)
    with open(os.path.join(scratch, "bochsrc"), "w", encoding="ascii") as file:
        file.write(rc)
    with open(os.path.join(scratch, "debugger"), "w", encoding="ascii") as file:
        file.write("c\n" if debugger else "c\nq\n")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} if debugger else {}
    return start(["bochs", "-q", "-f", "bochsrc", "-rc", "debugger"], scratch, **pipes)


def qemu(image, scratch, port, cpus=4, memory=1024, cpu="max", accel="tcg", options=()):
    """q35 with everything; its own emulation, `tcg`, has AMD SVM with nested paging, and no VT-x. `memory` in MiB."""
    firmware = os.path.join(scratch, "OVMF.fd")
    shutil.copyfile(FIRMWARE, firmware)
    command = ["qemu-system-x86_64", "-machine", "q35", "-accel", accel, "-cpu", cpu, "-smp", str(cpus),
               "-m", str(memory), "-bios", firmware, "-display", "none", "-monitor", "none", "-net", "none",
               "-drive", f"file={os.path.abspath(image)},format=raw,if=ide,snapshot=on",
               "-chardev", f"socket,id=com1,host=127.0.0.1,port={port},server=on,wait=on",
               "-serial", "chardev:com1", *options]
    return start(command, scratch)


# The kinds of machines: an emulator, or one of its models.
KINDS = {
    "bochs": bochs,
    "qemu": qemu,
    "kvm": functools.partial(qemu, accel="kvm", cpu="host"),
    **{f"bochs-{name}": functools.partial(bochs, model=model) for name, model in BOCHS_MODELS.items()},
}


def die_with_parent():
    """In the child: whoever started it may be killed before he can end it (prctl(2), PR_SET_PDEATHSIG)."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


def start(command, scratch, **pipes):
    with open(os.path.join(scratch, "emulator.out"), "wb") as out:
        streams = {"stdin": subprocess.DEVNULL, "stdout": out, "stderr": out, **pipes}
        return subprocess.Popen(command, cwd=scratch, start_new_session=True, preexec_fn=die_with_parent,
                                **streams)


def connect(process, port, seconds=30):
    """A socket to the machine's serial line, as soon as the emulator listens."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=5)
        except OSError:
            if process.poll() is not None:
                raise RuntimeError(f"the emulator ended at once, status {process.returncode}") from None
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def kill(process):
    """Ends the emulator and whatever it started."""
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    process.wait()
