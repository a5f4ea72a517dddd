"""How the emulators are started: the one place for their command lines.

`make run`, the system tests and the benchmarks all come here. Each function starts a machine in a process group
of its own, in a scratch folder, with its serial line on a TCP port of this host, and returns the process; the
machine runs once a client has connected to the port.
"""
import collections
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
pci: enabled=1, chipset=i440fx{slots}
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

# A network card. `model` is QEMU's (e1000, e1000e, virtio-net-pci); without one it is e1000e in QEMU, and Bochs has only
# e1000. `backend` is a -netdev of QEMU's: `user` (DHCP, NAT and name service in 10.0.2.0/24; the only one in Bochs),
# `socket,...`, `hubport,hubid=N`. `forward` lists (port of this host, guest's address, guest's port): TCP from 127.0.0.1.
Nic = collections.namedtuple("Nic", ["model", "backend", "mac", "forward"], defaults=[None, "user", None, ()])


def mac_of(nic, index):
    return nic.mac or f"52:54:00:b8:00:{index:02x}"


def forwards(nic, pattern):
    return [pattern.format(*rule) for rule in nic.forward]


def free_port():
    """A TCP port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def bochs_nics(nics, scratch):
    """The slots and the lines of bochsrc for the cards, whose user networks' rules go to files in `scratch`."""
    slots, lines = "", ""
    for index, nic in enumerate(nics):
        if nic.model not in (None, "e1000") or nic.backend != "user":
            raise ValueError(f"Bochs has e1000 with a user network only, not {nic.model} with {nic.backend}")
        rules = forwards(nic, "hostfwd = tcp:127.0.0.1:{}-{}:{}")
        with open(os.path.join(scratch, f"slirp{index}.conf"), "w", encoding="ascii") as file:
            # Bochs wants the first line to be this.
            file.write("".join(line + "\n" for line in ["# slirp config", *rules]))
        slots += f", slot{index + 1}=e1000"
        lines += f"e1000: card={index}, enabled=1, mac={mac_of(nic, index)}, ethmod=slirp, script=slirp{index}.conf\n"
    return slots, lines


def bochs(image, scratch, port, cpus=4, memory=1024, model=BOCHS_MODEL, ips=BOCHS_IPS, quantum=16,
          debugger=False, nics=()):
    """
    VT-x with EPT, or what else the model has. `memory` in MiB, `nics` a list of Nic. The debugger that Debian builds in is told to go on,
    and to quit at the end; with `debugger` to go on, and then, when SIGINT or a breakpoint stops the machine, it takes
    commands from the process' stdin and answers on its stdout.
    """
    # A copy: Bochs writes to its disk, and locks it.
    subprocess.run(["cp", "--sparse=always", image, os.path.join(scratch, "disk.img")], check=True)
    slots, lines = bochs_nics(nics, scratch)
    rc = BOCHSRC.format(firmware=FIRMWARE, port=port, cpus=cpus, memory=memory,
                        model=model, ips=ips, quantum=quantum, slots=slots) + lines
    with open(os.path.join(scratch, "bochsrc"), "w", encoding="ascii") as file:
        file.write(rc)
    with open(os.path.join(scratch, "debugger"), "w", encoding="ascii") as file:
        file.write("c\n" if debugger else "c\nq\n")
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE} if debugger else {}
    return start(["bochs", "-q", "-f", "bochsrc", "-rc", "debugger"], scratch, **pipes)


def qemu_nics(nics, iommu=None):
    """The cards on the command line. Without option ROMs, from which firmware would try to boot."""
    words = []
    for index, nic in enumerate(nics):
        model = nic.model or "e1000e"
        rules = forwards(nic, ",hostfwd=tcp:127.0.0.1:{}-{}:{}")
        # A virtio device goes around the IOMMU unless it is told otherwise.
        translated = ",iommu_platform=on,disable-legacy=on" if iommu and model.startswith("virtio") else ""
        words += ["-netdev", f"{nic.backend},id=n{index}" + "".join(rules),
                  "-device", f"{model},netdev=n{index},mac={mac_of(nic, index)},romfile={translated}"]
    return words


IOMMUS = {None: [], "intel": ["-device", "intel-iommu,intremap=on"], "amd": ["-device", "amd-iommu,intremap=on"]}


def qemu(image, scratch, port, cpus=4, memory=1024, cpu="max", accel="tcg", nics=(), iommu=None, monitor=False,
         options=()):
    """
    q35 with everything; its own emulation, `tcg`, has AMD SVM with nested paging, and no VT-x. `memory` in MiB, `nics` a
    list of Nic, whose backends are named n0, n1...; `iommu` is "intel" or "amd". With `monitor`, `tell` has somebody to
    talk to.
    """
    firmware = os.path.join(scratch, "OVMF.fd")
    shutil.copyfile(FIRMWARE, firmware)
    machine = "q35,kernel-irqchip=split" if iommu and accel == "kvm" else "q35"
    command = ["qemu-system-x86_64", "-machine", machine, "-accel", accel, "-cpu", cpu, "-smp", str(cpus),
               "-m", str(memory), "-bios", firmware, "-display", "none", "-net", "none",
               "-monitor", "unix:monitor,server=on,wait=off" if monitor else "none", *IOMMUS[iommu],
               "-drive", f"file={os.path.abspath(image)},format=raw,if=ide,snapshot=on",
               "-chardev", f"socket,id=com1,host=127.0.0.1,port={port},server=on,wait=on",
               "-serial", "chardev:com1", *qemu_nics(nics, iommu), *options]
    return start(command, scratch)


def tell(scratch, line, seconds=10):
    """Gives QEMU's monitor a line, for example `set_link n0 off`, and returns what it answers."""
    prompt, said = b"(qemu) ", b""
    with socket.socket(socket.AF_UNIX) as monitor:
        monitor.settimeout(seconds)
        monitor.connect(os.path.join(scratch, "monitor"))
        while not said.endswith(prompt):
            said += monitor.recv(4096)
        said = b""
        monitor.sendall(line.encode() + b"\n")
        while not said.endswith(prompt):
            said += monitor.recv(4096)
    # The line is echoed, with what draws it; the answer begins behind it.
    return said.decode("ascii", "replace").partition("\n")[2].rpartition("(qemu)")[0].replace("\r", "")


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
