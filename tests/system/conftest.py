"""Options and fixtures of the system tests. A machine is shared by the tests of a module, which run in order."""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import Machine, stage  # noqa: E402
from natives import go_home  # noqa: E402


def pytest_addoption(parser):
    parser.addoption("--machines", default="bochs qemu", help="emulators to run the tests on")


def pytest_configure(config):
    config.addinivalue_line("markers", "machine(kind): the emulator that the test needs")
    config.addinivalue_line("markers", "steps: the tests of this module are steps on one machine, each needs those before")


def pytest_collection_modifyitems(config, items):
    """Leaves out the tests of emulators that are not wanted. The longest modules come first."""
    wanted = config.getoption("--machines").split()
    kept, left = [], []
    for item in items:
        marker = item.get_closest_marker("machine")
        kind = marker.args[0] if marker else getattr(item, "callspec", None) and item.callspec.params.get("kind")
        (kept if not kind or kind in wanted else left).append(item)
    order = ["test_demo", "test_hostile", "test_ends"]
    kept.sort(key=lambda item: order.index(item.module.__name__) if item.module.__name__ in order else len(order))
    items[:] = kept
    config.hook.pytest_deselected(items=left)


class Group:
    """Starts machines, and ends them all when the module is done."""

    def __init__(self):
        self.machines = []

    def start(self, name, conf, files=(), **options):
        machine = Machine(stage(name, conf, files), name=name, **options)
        self.machines.append(machine)
        return machine

    def close(self):
        for machine in self.machines:
            machine.close()
        self.machines = []


@pytest.fixture(scope="module")
def group():
    machines = Group()
    yield machines
    machines.close()


@pytest.fixture
def one():
    machines = Group()
    yield machines
    machines.close()


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """
    After a failed step the machine is brought back to the console's prompt, so that the next step begins where it
    expects to; if that cannot be done, the steps behind it make no sense.
    """
    outcome = yield
    report = outcome.get_result()
    if not report.failed or not item.get_closest_marker("steps"):
        return
    machines = [value for value in getattr(item, "funcargs", {}).values() if isinstance(value, Machine)]
    if not all(go_home(machine) for machine in machines):
        item.module.FAILED_STEP = item.name


def pytest_runtest_setup(item):
    failed = getattr(item.module, "FAILED_STEP", None)
    if failed and item.get_closest_marker("steps"):
        pytest.fail(f"not tried, since {failed} left no prompt behind", pytrace=False)
