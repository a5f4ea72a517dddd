#!/usr/bin/python3
"""Measures, on the configuration that `make run` starts. Prints tables, writes build/bench/MACHINE.json.

One TSC tick in Bochs is one instruction, and in QEMU with -icount as well, so that what is measured is the length of
paths, the same in every run. How long a boot takes is measured in QEMU without it, by the wall clock.
"""
import argparse
import json
import os
import re
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(os.path.dirname(HERE), "system"), os.path.dirname(HERE)]
import lint  # noqa: E402
from boot_time import measure_boot  # noqa: E402
from console import measure_console  # noqa: E402
from console_page import measure_page  # noqa: E402
from exit_path import LOOPS, Paths, print_columns  # noqa: E402
from network import measure_network  # noqa: E402
from path_trace import COLUMNS  # noqa: E402
from tables import print_exits, print_keys, targets_of  # noqa: E402
from machine import BUILD, PROMPT, TOP, Machine  # noqa: E402
from natives import attach, detach, linux, stat_of, to_shell  # noqa: E402

# For QEMU: its clock counts instructions, and an idle machine's goes on at once to what it waits for.
ICOUNT = ("-icount", "shift=0,sleep=off")
# Until the prompt. QEMU's firmware waits a second and a half for a TPM; by icount, as many instructions (README.md).
PROMPT_SECONDS = 600


def outside(numbers):
    """The share of ticks that were spent in the kernel and the monitor on a partition's behalf."""
    total = {what: sum(n for key, n in numbers.items() if re.fullmatch(rf"vcpu\d+\.{what}", key))
             for what in ("ran", "kernel", "monitor")}
    spent = total["kernel"] + total["monitor"]
    return spent / max(1, spent + total["ran"])


def measure_linux(machine, result, lives=1):
    """From the guest's first instruction to the first line of its init, in the last of so many lives: all are shown."""
    attach(machine, "alpha")
    for _ in range(lives):
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


def measure_bochs(result):
    machine = Machine(os.path.join(BUILD, "demo", "bulkhead.conf"), name="bench-bochs", debugger=True)
    try:
        paths = Paths(machine)
        machine.expect("^" + PROMPT, PROMPT_SECONDS)
        for step in (measure_linux, measure_exits, measure_kernel):
            step(machine, result)
        measure_paths(paths, result)
        paths.debugger.leave()
        machine.command_end("poweroff -f", 120)
    finally:
        machine.close()


def measure_linux_alone(machine, result):
    """QEMU's one clock counts what all CPUs do: alpha, whose shell was seen, boots once more while the others stand."""
    for name in ("beta", "hello", "ping", "pong"):
        machine.command("stop " + name)
    machine.command("restart alpha")
    measure_linux(machine, result, lives=2)


def measure_icount(result):
    machine = Machine(os.path.join(BUILD, "demo", "bulkhead.conf"), kind="qemu", name="bench-qemu", options=ICOUNT)
    try:
        machine.expect("^" + PROMPT, PROMPT_SECONDS)
        for step in (measure_exits, measure_kernel, measure_linux_alone):
            step(machine, result)
        machine.command_end("poweroff -f", 120)
    finally:
        machine.close()


def measure_qemu(result):
    """One machine at a time, so that nothing of ours disturbs those that are timed by the wall clock."""
    measure_page(result)
    result.update(measure_boot())
    measure_icount(result)
    measure_network(result)
    measure_console(result)


MEASURES = {"bochs": measure_bochs, "qemu": measure_qemu}


def print_paths(result):
    """The columns of the instruction trace, which only Bochs' debugger gives."""
    print_columns({name: {column: result[f"exit.{name}.{column}"] for column in COLUMNS} for name in LOOPS},
                  {name: result.get("exit." + name) for name in LOOPS})


def print_tables(machine, result):
    print_keys(machine, result, r"exit\.\w+\.")
    print_exits(result)
    if machine == "bochs":
        print_paths(result)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--machine", default="bochs", choices=sorted(MEASURES))
    options = parser.parse_args()
    os.chdir(TOP)
    result = {}
    MEASURES[options.machine](result)
    os.makedirs(os.path.join(BUILD, "bench"), exist_ok=True)
    path = os.path.join("build", "bench", options.machine + ".json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump(result, file, indent=1, sort_keys=True)
        file.write("\n")
    print_tables(options.machine, result)
    print(f"written to {path}")
    return 0 if all(key in result for key in targets_of(options.machine)) else 1


if __name__ == "__main__":
    sys.exit(main())
