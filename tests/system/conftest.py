"""
Options and fixtures of the system tests. What a test needs a machine for takes the fixture `kind`, and so runs once on
each kind of machine that the nearest marker `machines` names. Those of one module and kind run in order.
"""
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from machine import Machine, emulators, stage  # noqa: E402
from natives import go_home  # noqa: E402

BOTH = ("bochs", "qemu")                # what a test runs on that says nothing else

# What takes longest is begun first, so that two workers end together.
LONGEST = ["test_demo-bochs", "test_hostile-bochs", "test_ends-bochs"]


def pytest_addoption(parser):
    parser.addoption("--machines", default="all", help="kinds of machines to run the tests on")


def pytest_configure(config):
    config.addinivalue_line("markers", "machines(kind, ...): the kinds of machines that the test runs on")
    config.addinivalue_line("markers", "steps: the tests of this module are steps on one machine, each after the other")
    config.failed_steps = {}            # by module and kind: the step that left no prompt behind
    known = ["all", *(kind for kind in emulators.KINDS if kind != "kvm")]
    unknown = [kind for kind in config.getoption("--machines").split() if kind not in known]
    if unknown:
        raise pytest.UsageError(f"--machines: no {', '.join(unknown)} among {', '.join(known)}")


def pytest_generate_tests(metafunc):
    if "kind" in metafunc.fixturenames:
        marker = metafunc.definition.get_closest_marker("machines")
        metafunc.parametrize("kind", marker.args if marker else BOTH, indirect=True, scope="module")


def kind_of(item):
    return item.callspec.params.get("kind") if hasattr(item, "callspec") else None


def group_of(item):
    """The tests that one worker runs, in order: a module's on one kind."""
    return "-".join(filter(None, (item.module.__name__, kind_of(item))))


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config, items):
    """
    Leaves out the tests of machines that are not wanted. Tests that share a machine stay together when workers share
    the work; the others are on their own. The longest come first.
    """
    wanted = config.getoption("--machines").split()
    left = [item for item in items if kind_of(item) and "all" not in wanted and kind_of(item) not in wanted]
    kept = [item for item in items if item not in left]
    for item in kept:
        if item.get_closest_marker("steps"):
            item.add_marker(pytest.mark.xdist_group(group_of(item)))
    kept.sort(key=lambda item: LONGEST.index(group_of(item)) if group_of(item) in LONGEST else len(LONGEST))
    items[:] = kept
    config.hook.pytest_deselected(items=left)


class Group:
    """Starts machines of one kind, and ends them all when the tests that share them are done."""

    def __init__(self, kind):
        self.kind = kind
        self.machines = []

    def start(self, name, conf, files=(), **options):
        """A machine with the configuration `conf` and files; see `stage`."""
        return self.boot(name, stage(f"{name}-{self.kind}", conf, files), **options)

    def boot(self, name, path, **options):
        """A machine with the configuration at `path` and the files beside it."""
        machine = Machine(path, self.kind, name=f"{name}-{self.kind}", **options)
        self.machines.append(machine)
        return machine

    def close(self):
        for machine in self.machines:
            machine.close()
        self.machines = []


@pytest.fixture(scope="module")
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def group(kind):
    machines = Group(kind)
    yield machines
    machines.close()


@pytest.fixture
def one(kind):
    machines = Group(kind)
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
        item.config.failed_steps[group_of(item)] = item.name


def pytest_runtest_setup(item):
    failed = item.config.failed_steps.get(group_of(item))
    if failed and item.get_closest_marker("steps"):
        pytest.fail(f"not tried, since {failed} left no prompt behind", pytrace=False)
