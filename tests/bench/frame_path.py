"""
The way of a frame from one guest to another, out of the blocks of instructions that the CPUs executed: `path` of
count_instructions.c. One guest's CPU sends, one runs the services, and on the third the other guest waits in HLT.
"""
import collections
import struct

STEPS = 1 << 20
HEADER, STEP = struct.Struct("=Q"), struct.Struct("=IIQ")

Step = collections.namedtuple("Step", "cpu instructions address")
# Instructions on each of the three CPUs: from the exit of the notify to the IPI; from there to the IPI to the
# receiver's CPU; from there to the guest's first instruction, which is its interrupt handler's.
Way = collections.namedtuple("Way", "sender services receiver")


class PathError(Exception):
    """The kernel has no such functions as the way is found by."""


def taken(data):
    """How many steps a ring has seen."""
    return HEADER.unpack_from(data)[0]


def read_steps(data):
    """Those that are still in it, oldest first."""
    count = taken(data)
    return [Step(*STEP.unpack_from(data, HEADER.size + STEP.size * (number % STEPS)))
            for number in range(max(0, count - STEPS), count)]


class Kernel:
    """Which steps are the kernel's, and in which of its functions."""

    def __init__(self, symbols):
        self.symbols = symbols
        missing = {"guest_control_ring", "kick_cpu", "send"} - {name for _, name in symbols.functions}
        if missing:
            raise PathError("the kernel has no " + ", ".join(sorted(missing)))

    def function(self, step):
        return self.symbols.name(step.address)[0] if step.address in self.symbols else None


def kicks(functions):
    """The places behind each IPI to another CPU, among the functions of one CPU's steps."""
    found, before = [], None
    for place, name in enumerate(functions):
        if before == "kick_cpu" and name not in ("kick_cpu", "send"):
            found.append(place)
        before = "kick_cpu" if name == "kick_cpu" or (before, name) == ("kick_cpu", "send") else name
    return found


def one_way(steps, kernel, sender, services, receiver):
    """Of the steps from the exit of a notify to that of the next one; None: it did not wake the receiver's CPU."""
    mine = {cpu: [(place, step) for place, step in enumerate(steps) if step.cpu == cpu]
            for cpu in (sender, services, receiver)}
    names = {cpu: [kernel.function(step) for _, step in mine[cpu]] for cpu in mine}
    sent, passed = kicks(names[sender]), kicks(names[services])
    woken = names[receiver]
    if not sent or not passed or None not in woken or woken[0] is None:
        return None
    begins = mine[receiver][0][0]
    passed = [end for end in passed if mine[services][end - 1][0] < begins]
    if not passed or mine[services][0][0] < mine[sender][sent[0] - 1][0]:
        return None
    counts = {sender: sent[0], services: passed[-1], receiver: woken.index(None)}
    return Way(*(sum(step.instructions for _, step in mine[cpu][:counts[cpu]]) for cpu in (sender, services, receiver)))


def notifies(steps, kernel, sender):
    """Where the exits begin on the sender's CPU that ring a doorbell."""
    found, begins, inside = [], None, False
    for place, step in enumerate(steps):
        if step.cpu != sender:
            continue
        name = kernel.function(step)
        if name is None:
            begins, inside = None, False
        elif begins is None:
            begins = place
        if name == "guest_control_ring" and not inside:
            found.append(begins)
            inside = True
    return found


def ways(steps, kernel, sender, services, receiver):
    """Of all frames that are whole in the steps."""
    places = notifies(steps, kernel, sender)
    found = (one_way(steps[begin:end], kernel, sender, services, receiver) for begin, end in zip(places, places[1:]))
    return [way for way in found if way]


def middle(found):
    """The median way, by all that it takes."""
    return sorted(found, key=sum)[len(found) // 2]
