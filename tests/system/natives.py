"""Configurations and habits that several modules share."""
import itertools
import re

from machine import IPS, PROMPT, MachineError

DETACH = "\x1d"                         # Ctrl-]
AMD = ("qemu", "bochs-ryzen")           # kinds of machines with SVM; the others have VT-x
LINUX = ["vmlinuz", "initramfs.img"]
QUESTIONS = itertools.count(1000)
LINUX_LINE = "console=ttyS0 quiet cryptomgr.notests"


def guest(name, cpus, memory="128M", more=""):
    """A section for a Linux guest; its shell's prompt is its name."""
    return (f"[guest {name}]\nkernel = vmlinuz\ninitrd = initramfs.img\ncommand-line = {LINUX_LINE} hostname={name}\n"
            f"memory = {memory}\ncpus = {cpus}\n{more}\n")


def native(name, program=None, cpus="shared 1", more=""):
    return f"[native {name}]\nprogram = {program or name}.elf\ncpus = {cpus}\n{more}\n"


def attach(machine, name):
    machine.send(f"attach {name}\r")
    machine.expect(rf"\[attached to {name}")
    machine.attached = name


def detach(machine):
    machine.attached = None
    machine.send(DETACH)
    machine.expect("^" + PROMPT)


def go_home(machine):
    """Back to an empty prompt of the console, wherever a test has left the line; whether that worked."""
    try:
        if machine.attached:
            machine.attached = None
            machine.send("\x03" + DETACH)
        machine.send("\x03")
        machine.progress(1)
        machine.command("help help")
        return True
    except (MachineError, OSError):
        return False


def linux(machine, name, line, timeout=120):
    """What a command prints in the shell of a Linux guest that the console is attached to."""
    return machine.command(line, prompt=rf"{name}# ", timeout=timeout)


def create(machine, kind, name, *lines):
    """Makes a partition at run time, on the serial line."""
    machine.send(f"create {kind} {name}\r")
    for line in (*lines, ""):
        machine.expect("key = value> ")
        machine.send(line + "\r")
    machine.expect(f"{name} is there")
    machine.expect("^" + PROMPT)


def to_shell(machine, name, timeout=400):
    """
    Attaches to a Linux guest and waits until its shell answers. What the console kept of a former life may show a
    prompt, and answers, too; so each question is asked only once, with a number of its own. One that is typed while
    the guest boots may lose its beginning, as Linux empties the UART's queue, so others follow.
    """
    attach(machine, name)
    machine.progress(1)
    machine.position = len(machine.text)
    deadline = machine.clock() + timeout
    answers = []
    while True:
        number = next(QUESTIONS)
        answers.append(f"awake-{number + 1}")
        machine.send(f"echo awake-$(({number}+1))\r")
        try:
            machine.expect(rf"^(?:{'|'.join(answers)})\n", 2 * machine.idling)
            break
        except MachineError:
            if machine.closed:
                raise
        if machine.clock() > deadline:
            machine.fail(f"the shell of {name} does not answer")
    # What was typed while it booted is answered first; the last one tells when that is over.
    number = next(QUESTIONS)
    machine.send(f"echo awake-$(({number}+1))\r")
    machine.expect(rf"^awake-{number + 1}\n{name}# ", timeout)


def again_in(machine, name):
    """
    Attaches to a Linux guest whose shell has been seen before, at a fresh prompt: the one behind an answer that no
    former line has given, as the console repeats what it has kept.
    """
    attach(machine, name)
    number = next(QUESTIONS)
    machine.send(f"\recho here-$(({number}+1))\r")
    # A shell says there, too, what has ended in the background.
    machine.expect(rf"^here-{number + 1}\n(?:.*\n)*?{name}# ")


def audit_clean(machine):
    """The console's audit: the number of disagreements is 0."""
    text = machine.command("audit", timeout=120)
    assert "audit: clean" in text, text


def state_of(machine, name):
    """The line of `list` about a partition."""
    text = machine.command("list")
    found = re.search(rf"^\s*{re.escape(name)}\s.*$", text, re.M)
    assert found, text
    return found.group(0)


def wait_state(machine, name, state, timeout=60):
    """Asks `list` until the partition's line shows the state."""
    deadline = machine.clock() + timeout
    while True:
        line = state_of(machine, name)
        if re.search(state, line):
            return line
        if machine.clock() > deadline:
            machine.fail(f"{name} did not become `{state}`: {line}")
        machine.progress(1)


def report_of(machine, name):
    """Why a partition ended, in words."""
    return machine.command("report " + name)


def tsc_rate(machine):
    """
    Ticks that the TSC makes in a second, and how exactly that is known. Bochs is told; QEMU's TSC is the host's, which
    only the kernel has measured, and its threads may lose the host's CPU between two readings of a clock.
    """
    if machine.emulator == "bochs":
        return IPS, 0.01
    return float(re.search(r"clock: TSC at (\d+\.\d+) MHz", machine.text).group(1)) * 1e6, 0.05


def stat_of(machine, name=""):
    """The keys and numbers of `stat -k`."""
    text = machine.command(f"stat -k {name}".strip(), timeout=120)
    return {key: int(number) for key, number in re.findall(r"^(\S+) (\d+)$", text, re.M)}
