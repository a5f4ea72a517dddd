"""Times in the exit traces of two guests (`trace -k`): how long a frame takes from one to the other."""
import collections
import re

DOORBELLS = range(0xc000, 0xd000)       # ports by which a guest says that it has put something into a queue

Exit = collections.namedtuple("Exit", ["tsc", "vcpu", "ticks", "what"])
# elapsed: from the notify to the interrupt; handled: without what the sender did in between; notify: the OUT alone.
Latency = collections.namedtuple("Latency", ["elapsed", "handled", "notify"])


def read_trace(text):
    """Lines `TSC VCPU TICKS DETAIL`, oldest first."""
    return [Exit(int(tsc), int(vcpu), int(ticks), what)
            for tsc, vcpu, ticks, what in re.findall(r"^(\d+) (\d+) (\d+) (.+)$", text, re.M)]


def is_notify(one):
    found = re.match(r"out (0x[0-9a-f]+)", one.what)
    return bool(found) and int(found.group(1), 16) in DOORBELLS


def latencies(sender, receiver):
    """
    One for each notify that woke the receiver out of HLT, up to the EOI of its interrupt, before the sender's next
    one. QEMU's CPUs take turns, and the sender goes on until it halts itself: what lies between the end of its OUT and
    the end of that HLT's exit is nobody's latency.
    """
    notifies = [one for one in sender if is_notify(one)]
    found = []
    for one, after in zip(notifies, notifies[1:]):
        wakes = [woken.tsc for wait, woken in zip(receiver, receiver[1:])
                 if wait.what.startswith("hlt") and "EOI" in woken.what and wait.tsc < one.tsc < woken.tsc < after.tsc]
        rests = [rest.tsc + rest.ticks for rest in sender
                 if rest.what.startswith("hlt") and one.tsc < rest.tsc < after.tsc]
        if wakes and rests and rests[0] < wakes[0]:
            between = rests[0] - (one.tsc + one.ticks)
            found.append(Latency(wakes[0] - one.tsc, wakes[0] - one.tsc - between, one.ticks))
    return found


def median(numbers):
    return sorted(numbers)[len(numbers) // 2]
