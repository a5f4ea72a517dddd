#!/usr/bin/python3
"""Runs the parts of the test suite and adds up what they say.

    suite.py lint | unit PROGRAM... | fuzz PROGRAM... | system [FILE...] | all

The last line is the sum: "N passed, N failed". The status is 1 if anything failed or nothing ran.
"""
import argparse
import concurrent.futures
import os
import re
import subprocess
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import lint

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CRASHES = "build/tests/fuzz/crashes"


class Sum:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def add(self, passed, failed, text=""):
        self.passed += passed
        self.failed += failed
        if text:
            print(text, flush=True)


def part_lint(total):
    for name, wrong in lint.run():
        total.add(not wrong, bool(wrong), f"FAILED {name}\n{wrong}" if wrong else "")
    print(f"lint: kernel and arch have {lint.kernel_lines()} lines", flush=True)


def run_unit(program):
    try:
        done = subprocess.run([program], capture_output=True, text=True, errors="replace", timeout=300)
    except subprocess.TimeoutExpired:
        return program, 0, 1, "ran for more than 300 seconds\n"
    text = done.stdout + done.stderr
    passed = sum(map(int, re.findall(r"^\[  PASSED  \] (\d+) test", text, re.M)))
    failed = sum(map(int, re.findall(r"^\[  FAILED  \] (\d+) test", text, re.M)))
    if done.returncode and not failed:
        failed = 1                      # a sanitizer stopped it
    if not passed and not failed:
        failed, text = 1, text + "no test was run\n"
    return program, passed, failed, text


def part_unit(total, programs):
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        for program, passed, failed, text in pool.map(run_unit, programs):
            total.add(passed, failed, f"unit {os.path.basename(program)}: {passed} passed, {failed} failed")
            if failed:
                print(text, flush=True)


def run_fuzz(job):
    """A target runs for its seconds, from its seeds and what earlier runs found, which stays in build/."""
    program, seconds = job
    name = os.path.basename(program)
    corpus, seeds = f"build/tests/fuzz/corpus/{name}", f"tests/fuzz/seeds/{name}"
    os.makedirs(corpus, exist_ok=True)
    os.makedirs(CRASHES, exist_ok=True)
    command = [program, f"-max_total_time={seconds}", f"-artifact_prefix={CRASHES}/{name}-", "-timeout=10",
               "-rss_limit_mb=2048", "-print_final_stats=1", corpus] + ([seeds] if os.path.isdir(seeds) else [])
    done = subprocess.run(command, capture_output=True, text=True, errors="replace")
    runs = re.search(r"stat::number_of_executed_units: (\d+)", done.stderr)
    return name, done.returncode, int(runs.group(1)) if runs else 0, done.stderr


def part_fuzz(total, programs, seconds):
    """The seconds are shared out among the targets; as many run at once as there are CPUs."""
    if not programs:
        return
    workers = min(os.cpu_count(), len(programs))
    each = max(1, seconds * workers // len(programs))
    with concurrent.futures.ThreadPoolExecutor(workers) as pool:
        for name, status, runs, text in pool.map(run_fuzz, [(p, each) for p in programs]):
            good = status == 0 and runs > 0
            total.add(good, not good, f"fuzz {name}: {runs} runs in {each} s, status {status}")
            if not good:
                print(text[-4000:], flush=True)


def run_pytest(total, name, arguments):
    """pytest; its own last line is counted."""
    command = ["/usr/bin/python3", "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    began = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                               errors="replace")
    last = ""
    for line in process.stdout:
        print(line, end="", flush=True)
        if re.search(r"\d+ (passed|failed|error)", line):
            last = line
    status = process.wait()
    count = {word: int(n) for n, word in re.findall(r"(\d+) (passed|failed|error)", last)}
    passed, failed = count.get("passed", 0), count.get("failed", 0) + count.get("error", 0)
    if status and not failed:
        failed = 1
    total.add(passed, failed, f"{name}: {passed} passed, {failed} failed in {time.monotonic() - began:.0f} s")


def part_python(total):
    """Unit tests of the tests' own Python, which need no machine."""
    run_pytest(total, "unit, Python", ["-q", "tests/unit"])


def part_system(total, machines, files):
    where = [f if "/" in f else "tests/system/" + f for f in files] or ["tests/system"]
    run_pytest(total, "system", ["-v", "-n", "2", "--dist", "loadgroup", "--machines", machines, *where])


def main():
    os.chdir(TOP)
    parser = argparse.ArgumentParser()
    parser.add_argument("part", choices=["lint", "unit", "fuzz", "system", "all"])
    parser.add_argument("more", nargs="*")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--machines", default="all")
    parser.add_argument("--unit", default="")
    parser.add_argument("--fuzz", default="")
    options = parser.parse_intermixed_args()
    part, total = options.part, Sum()

    with_unit = part == "lint" and options.more[:1] == ["unit"]
    if part in ("lint", "all"):
        part_lint(total)
    if part in ("unit", "all") or with_unit:
        part_unit(total, options.more[1:] if with_unit else options.unit.split() if part == "all" else options.more)
        part_python(total)
    if part in ("fuzz", "all"):
        part_fuzz(total, options.fuzz.split() if part == "all" else options.more, options.seconds)
    if part in ("system", "all"):
        part_system(total, options.machines, options.more)

    print(f"{total.passed} passed, {total.failed} failed", flush=True)
    return 1 if total.failed or not total.passed else 0


if __name__ == "__main__":
    sys.exit(main())
