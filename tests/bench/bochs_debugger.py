"""Bochs' built-in debugger, driven by the process' stdin and stdout while the machine's serial line is used as well."""
import os
import re
import signal
import threading
import time

import path_trace

READY = re.compile(r"<bochs:\d+> ")


class Debugger:
    """Of a Machine that was started with debugger=True. The machine runs, or stands between two commands."""

    def __init__(self, machine):
        self.machine = machine
        self.text = ""
        self.changed = threading.Condition()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        while True:
            data = os.read(self.machine.process.stdout.fileno(), 1 << 16)
            with self.changed:
                self.text += data.decode("ascii", "replace")
                self.changed.notify_all()
            if not data:
                return

    def _send(self, line):
        with self.changed:
            self.text = ""
        self.machine.process.stdin.write(line.encode() + b"\n")
        self.machine.process.stdin.flush()

    def _answer(self, seconds):
        deadline = time.monotonic() + seconds
        with self.changed:
            while not READY.search(self.text):
                if not self.changed.wait(deadline - time.monotonic()):
                    self.machine.fail(f"the debugger did not answer within {seconds} s: {self.text[-500:]}")
            return self.text

    def command(self, line, seconds=120):
        """Gives a command while the machine stands; returns what it says up to the next prompt."""
        self._send(line)
        return self._answer(seconds)

    def stop(self):
        with self.changed:
            self.text = ""
        os.kill(self.machine.process.pid, signal.SIGINT)
        self._answer(60)

    def go_on(self):
        """The machine runs until it meets a breakpoint."""
        self._send("c")

    def leave(self):
        """From now on the machine runs by itself, and the debugger ends when it is switched off."""
        self.stop()
        self._send("c\nq")

    def wait_break(self, address, mnemonic, seconds=240):
        """
        Until a breakpoint is met at the address and at such an instruction: another program may have another one there.
        Returns (CPU, number of the breakpoint).
        """
        deadline = time.monotonic() + seconds
        while True:
            text = self._answer(max(1, deadline - time.monotonic()))
            hit = re.search(r"^\((\d+)\) Breakpoint (\d+),", text, re.M)
            here = [one for line in text.splitlines() if (one := path_trace.parse_line(line))
                    and hit and one.cpu == int(hit.group(1)) and one.address == address]
            if here and path_trace.mnemonic(here[0]) == mnemonic:
                return int(hit.group(1)), int(hit.group(2))
            if time.monotonic() > deadline:
                self.machine.fail(f"no {mnemonic} was met at {address:#x} within {seconds} s")
            self.go_on()

    def trace_from(self, address, mnemonic, start, steps=8000):
        """
        Lets the machine go on with `start`, a function that makes it come to a loop around the address, and returns
        `steps` instructions of that CPU from there. Afterwards the machine runs. With several CPUs the debugger sees
        only some of the passages, one in ten or in a hundred, so that the loop must be long.
        """
        self.stop()
        self.command(f"lb {address:#x}")
        self.go_on()
        start()
        cpu, number = self.wait_break(address, mnemonic)
        for line in (f"d {number}", f"set $cpu = {cpu}", "trace on"):
            self.command(line)
        trace = path_trace.parse(self.command(f"s {cpu} {steps}"), cpu)
        self.command("trace off")
        self.go_on()
        return trace
