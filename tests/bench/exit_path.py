#!/usr/bin/python3
"""The way of an exit, instruction by instruction, by Bochs' debugger.

    exit_path.py [--show | --all] [--conf CONF] [cpuid] [hypercall] [pio]

Starts the demo as it was built, lets it come to the loops that `make bench` measures, traces some thousand instructions
in there, and counts those of one operation: from the guest's instruction that exits to its next one. `--show` prints
the way by functions, `--all` each instruction.
"""
import argparse
import collections
import os
import re
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "system")]
import path_trace  # noqa: E402
from bochs_debugger import Debugger  # noqa: E402
from machine import BUILD, PROMPT, TOP, Machine  # noqa: E402
from natives import again_in, detach, to_shell  # noqa: E402

NATIVE = os.path.join(BUILD, "guests", "measure.elf")
LINUX = os.path.join(BUILD, "guests", "linux", "tools", "port-bench")
# operation: (program, the function around the instruction, mnemonic, a pattern for objdump's operands)
LOOPS = {
    "cpuid": (NATIVE, "with_cpuid", "cpuid", ""),
    "hypercall": (NATIVE, "with_vmcall", "vmcall", ""),
    "pio": (LINUX, None, "out", r"%al,\$0x80"),
}


def address_in(program, function, mnemonic, operands):
    """Where the program has the instruction."""
    command = ["objdump", "-d", "--no-show-raw-insn", program]
    command += [f"--disassemble={function}"] if function else []
    listing = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(rf"^\s*([0-9a-f]+):\s+{mnemonic}\s*{operands}\s*$", listing, re.M)
    if not found:
        raise path_trace.TraceError(f"no {mnemonic} in {function or 'any function'} of {program}")
    return int(found.group(1), 16)


class Paths:
    """Of a Machine with a debugger whose console is at its prompt; the programs are those of build/ when it is made."""

    def __init__(self, machine):
        self.machine = machine
        self.debugger = Debugger(machine)
        self.kernel = path_trace.Symbols.of(os.path.join(BUILD, "kernel", "kernel.elf"))
        self.monitor = path_trace.Symbols.of(os.path.join(BUILD, "guests", "monitor.elf"))
        with open(os.path.join(TOP, "arch", "x86_64", "vmx", "vmcs.h"), encoding="utf-8") as file:
            self.fields = path_trace.vmcs_fields(file.read())
        self.addresses = {name: address_in(*loop) for name, loop in LOOPS.items()}

    def operation(self, name):
        """Traces; returns (the operation's instructions, how many took this way, of how many)."""
        address, mnemonic = self.addresses[name], LOOPS[name][2]
        trace = self._trace_linux if LOOPS[name][0] == LINUX else self._trace_native
        found = path_trace.operations(trace(address, mnemonic), address)
        operation, times = path_trace.usual(found)
        return operation, times, len(found)

    def _trace_native(self, address, mnemonic):
        self.machine.command("help help")       # nothing of an earlier run is left to be read
        trace = self.debugger.trace_from(address, mnemonic, lambda: self.machine.send("start measure\r"))
        self.machine.expect(r"\[measure finished\]", 120)
        return trace

    def _trace_linux(self, address, mnemonic):
        again_in(self.machine, "alpha")
        trace = self.debugger.trace_from(address, mnemonic, lambda: self.machine.send("port-bench\r"))
        self.machine.expect(r"exit\.pio=\d+", 120)
        detach(self.machine)
        return trace

    def count(self, operation):
        return path_trace.count(operation, self.kernel)

    def show(self, operation, every):
        """The way by functions; of each, its VMX instructions and their like, or every instruction."""
        words = path_trace.described(operation, self.fields)
        shares = collections.Counter()
        for side, function, offset, part in path_trace.stretches(operation, self.kernel, self.monitor):
            shares[side, function] += len(part)
            texts = [words.get(at, operation[at].text) for at in part if every or at in words]
            place = f"{function}+{offset:#x}" if function else hex(operation[part[0]].address)
            first = f"  {len(part):5}  {side:8} {place:32}"
            lines = [first.rstrip(), *texts] if every else [f"{first} {', '.join(texts)}".rstrip()]
            print("\n          ".join(lines))
        print("  in all:")
        for (side, function), number in shares.most_common():
            print(f"  {number:5}  {side:8} {function}")


def print_columns(results, measured):
    """A row for each operation. `measured` are round trips by the TSC, where known; they should equal the path."""
    print(f"{'operation':16} {'by TSC':>8} " + " ".join(f"{name:>8}" for name in path_trace.COLUMNS))
    for name, numbers in results.items():
        ticks = measured.get(name)
        row = " ".join(f"{numbers[column]:>8}" for column in path_trace.COLUMNS)
        differs = ticks is not None and abs(ticks - numbers["path"]) > max(2, ticks // 50)
        print(f"exit.{name:11} {ticks if ticks is not None else '-':>8} {row}"
              f"{'  the two counts DIFFER' if differs else ''}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("operations", nargs="*", metavar="OPERATION", help=", ".join(LOOPS))
    parser.add_argument("--show", action="store_true", help="print the way by functions")
    parser.add_argument("--all", action="store_true", help="print every instruction")
    parser.add_argument("--conf", default=os.path.join(BUILD, "demo", "bulkhead.conf"),
                        help="a configuration with a native `measure` and a Linux guest `alpha`")
    options = parser.parse_args()
    names = options.operations or list(LOOPS)
    if set(names) - set(LOOPS):
        parser.error(f"operations are {', '.join(LOOPS)}")
    os.chdir(TOP)
    machine, results = Machine(options.conf, name="exit-path", debugger=True), {}
    try:
        paths = Paths(machine)
        machine.expect("^" + PROMPT, 300)
        if any(LOOPS[name][0] == LINUX for name in names):
            to_shell(machine, "alpha")
            detach(machine)
        for name in names:
            operation, times, of = paths.operation(name)
            results[name] = paths.count(operation)
            print(f"{name}: {times} of {of} operations took this way of {len(operation)} instructions", flush=True)
            if options.show or options.all:
                paths.show(operation, options.all)
    finally:
        machine.close()
    print_columns(results, {})
    return 0


if __name__ == "__main__":
    sys.exit(main())
