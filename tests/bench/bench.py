#!/usr/bin/python3
"""Measures, on the configuration that `make run` starts. Prints a table, writes build/bench/MACHINE.json.

One TSC tick in Bochs is one instruction, so that what is measured there is the length of paths, the same in every run.
"""
import argparse
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "system"), os.path.dirname(HERE)]
import lint  # noqa: E402
from exit_path import LOOPS, Paths, print_columns  # noqa: E402
from path_trace import COLUMNS  # noqa: E402
from machine import BUILD, PROMPT, TOP, Machine  # noqa: E402
from natives import attach, detach, linux, stat_of, to_shell  # noqa: E402

MIB = 1 << 20
# key: (what it is, at most, Linux 6.1's KVM in the same emulator)
TARGETS = {
    "exit.cpuid": ("CPUID, round trip, instructions", 120, 978),
    "exit.hypercall": ("null hypercall, round trip", 100, 1007),
    "exit.pio": ("OUT to a port of the monitor, and back", 450, 2965),
    "linux.outside": ("share outside of the guest, boot to init", 0.05, None),
    "kernel.bytes": ("memory of the kernel, this machine", 4 * MIB, None),
    "kernel.bytes.256g": ("computed for 256 GiB", 32 * MIB, None),
    "kernel.lines": ("lines in kernel/ and arch/", 8000, None),
}


def outside(numbers):
    """The share of ticks that were spent in the kernel and the monitor on a partition's behalf."""
    total = {what: sum(n for key, n in numbers.items() if re.fullmatch(rf"vcpu\d+\.{what}", key))
             for what in ("ran", "kernel", "monitor")}
    spent = total["kernel"] + total["monitor"]
    return spent / max(1, spent + total["ran"])


def measure_linux(machine, result):
    """From the guest's first instruction to the first line of its init."""
    attach(machine, "alpha")
    machine.expect(r"bulkhead-guest: init reached", 600)
    detach(machine)
    numbers = stat_of(machine, "alpha")
    result["linux.outside"] = round(outside(numbers), 4)
    for key, number in numbers.items():
        found = re.fullmatch(r"vcpu0\.((?:exits\.)?\w+)", key)
        if found and number and found.group(1) not in ("cpu", "dedicated"):
            result["linux.boot." + found.group(1)] = number


def measure_exits(machine, result):
    """The native `measure` prints lines of key=number; port-bench runs in Linux, whose ports are its monitor's."""
    to_shell(machine, "alpha")
    for key, number in re.findall(r"(exit\.\w+)=(\d+)", linux(machine, "alpha", "port-bench", 200)):
        result[key] = int(number)
    detach(machine)
    machine.command("start measure")
    attach(machine, "measure")
    machine.expect(r"measure done", 300)
    for key, number in re.findall(r"^measure (exit\.[\w.]+) (\d+)", machine.text, re.M):
        result[key] = int(number)
    detach(machine)


def measure_paths(paths, result):
    """The same operations once more, instruction by instruction: a world switch is one instruction for the TSC here."""
    for name in LOOPS:
        operation, _, _ = paths.operation(name)
        for column, number in paths.count(operation).items():
            result[f"exit.{name}.{column}"] = number


def measure_kernel(machine, result):
    numbers = stat_of(machine)
    result["kernel.bytes"] = numbers["kernel_bytes"]
    result["kernel.bytes.256g"] = numbers["kernel_bytes_256g"]
    result["kernel.lines"] = lint.kernel_lines()


def measure(kind):
    result = {}
    machine = Machine(os.path.join(BUILD, "demo", "bulkhead.conf"), kind=kind, name="bench-" + kind,
                      debugger=True)
    try:
        paths = Paths(machine)
        machine.expect("^" + PROMPT, 300)
        for step in (measure_linux, measure_exits, measure_kernel):
            step(machine, result)
        measure_paths(paths, result)
        paths.debugger.leave()
        machine.command_end("poweroff -f", 120)
    finally:
        machine.close()
    return result


def print_table(result):
    print(f"{'key':24} {'measured':>12} {'at most':>12} {'KVM':>8}  ")
    for key, (what, most, kvm) in TARGETS.items():
        value = result.get(key)
        verdict = "not measured" if value is None else "" if value <= most else "MISSED"
        print(f"{key:24} {value if value is not None else '-':>12} {most:>12} {kvm or '':>8}  {verdict:12} {what}")
    counted = {f"exit.{name}.{column}" for name in LOOPS for column in COLUMNS}
    for key in sorted(set(result) - set(TARGETS) - counted):
        print(f"{key:24} {result[key]:>12}")
    print()
    print_columns({name: {column: result[f"exit.{name}.{column}"] for column in COLUMNS} for name in LOOPS},
                  {name: result.get("exit." + name) for name in LOOPS})


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--machine", default="bochs", choices=["bochs"])
    options = parser.parse_args()
    os.chdir(TOP)
    result = measure(options.machine)
    os.makedirs(os.path.join(BUILD, "bench"), exist_ok=True)
    path = os.path.join("build", "bench", options.machine + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1, sort_keys=True)
        file.write("\n")
    print_table(result)
    print(f"written to {path}")
    return 0 if all(key in result for key in TARGETS) else 1


if __name__ == "__main__":
    sys.exit(main())
