"""A whole machine under test: an emulator with its serial line, read by a thread and driven by `expect`."""
import hashlib
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "boot"))
import emulators  # noqa: E402

BUILD = os.path.join(TOP, "build")
SYSTEM = os.path.join(BUILD, "tests", "system")
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")
IPS = emulators.BOCHS_IPS
ESCAPE = re.compile(r"\x1b(?:\[[0-9;?=>]*[ -/]*[@-~]|[@-Z\\-_=>])|[\x00\x07]")
UNFINISHED = re.compile(r"(?:\x1b(?:\[[0-9;?=>]*[ -/]*)?|\r+)\Z")
RETURN = re.compile(r"\r*\n|\r+")      # a line that is drawn again counts as a new one
PROMPT = r"bulkhead> "


class MachineError(AssertionError):
    """What was awaited did not come; the text shows the end of the console."""


def stage(name, conf, files=()):
    """
    A folder with bulkhead.conf, made of the text `conf`, and `files`: names of the demo's or of built programs, or
    (name, bytes) pairs. Returns the configuration's path.
    """
    folder = os.path.join(SYSTEM, "conf", WORKER, name)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    path = os.path.join(folder, "bulkhead.conf")
    with open(path, "wb") as file:
        file.write(conf if isinstance(conf, bytes) else conf.encode())
    for item in files:
        target = os.path.join(folder, item if isinstance(item, str) else item[0])
        if isinstance(item, str):
            shutil.copyfile(built(item), target)
        else:
            with open(target, "wb") as file:
                file.write(item[1])
    return path


def built(name):
    """Where the build has put a kernel, an initramfs or a native program."""
    for folder in ("guests/linux", "guests", "guests/tests"):
        path = os.path.join(BUILD, folder, name)
        if os.path.isfile(path):
            return path
    raise MachineError(f"{name} was not built")


def make(*arguments):
    """Runs make; two workers do so one after the other."""
    os.makedirs(SYSTEM, exist_ok=True)
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS")}
    lock = os.path.join(SYSTEM, "make.lock")
    return subprocess.run(["flock", lock, "make", "--no-print-directory", "-s", *arguments], cwd=TOP,
                          env=environment, capture_output=True, text=True, errors="replace", check=False)


def image_of(conf):
    """A disk image of the configuration and its files, made once for the same content."""
    digest = hashlib.sha256()
    folder = os.path.dirname(os.path.abspath(conf))
    parts = [os.path.join(BUILD, p) for p in ("boot/BOOTX64.EFI", "kernel/kernel.elf", "guests/monitor.elf",
                                              "guests/console.elf", "guests/net.elf")]
    parts = [part for part in parts if os.path.exists(part)]
    for path in sorted(os.path.join(folder, n) for n in os.listdir(folder)) + parts:
        with open(path, "rb") as file:
            digest.update(os.path.basename(path).encode() + b"\0" + file.read())
    image = os.path.join(SYSTEM, "images", digest.hexdigest()[:16] + ".img")
    if not os.path.exists(image):
        os.makedirs(os.path.dirname(image), exist_ok=True)
        part = f"{image}.{os.getpid()}"
        done = make("image", "FORCE=1", "CONF=" + conf, "IMG=" + part)
        if done.returncode:
            raise MachineError("make image failed:\n" + done.stdout + done.stderr)
        os.rename(part, image)
    return image


class Machine:
    """
    One emulator. Times are seconds of the emulator's own CPU time, so that a busy host makes no test fail; an emulator
    that idles is given four times as much of the wall clock. QEMU's CPUs are threads, of which all may spin while the
    one that matters works: there it is a CPU's share of that time. Its clocks are the host's, so that what is to happen
    after a second happens after a second of the wall clock.
    """

    def __init__(self, conf, kind="bochs", name=None, image=None, **options):
        self.kind = kind
        self.emulator = kind.split("-")[0]
        self.threads, self.idling, self.settling = 1, 4, 0.05
        if self.emulator == "qemu":
            self.threads, self.idling, self.settling = options.get("cpus", 4), 1, 0.2
        self.name = name or kind
        self.scratch = tempfile.mkdtemp(prefix="bulkhead-")
        self.text = ""                  # all that came, without escape sequences and carriage returns
        self.position = 0               # what expect has not consumed begins here
        self.pending = ""
        self.changed = threading.Condition()
        self.closed = False
        self.attached = None            # the partition that the console's line is attached to
        self.started = time.monotonic()
        port = emulators.free_port()
        self.process = emulators.KINDS[kind](image or image_of(conf), self.scratch, port, **options)
        try:
            self.serial = emulators.connect(self.process, port)
        except Exception:
            self.close()
            raise
        self.serial.settimeout(None)
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        while True:
            try:
                data = self.serial.recv(65536)
            except OSError:
                data = b""
            with self.changed:
                if not data:
                    self.closed = True
                    self.changed.notify_all()
                    return
                whole = self.pending + data.decode("ascii", "replace")
                cut = UNFINISHED.search(whole)
                self.pending = whole[cut.start():] if cut else ""
                self.text += RETURN.sub("\n", ESCAPE.sub("", whole[:cut.start()] if cut else whole))
                self.changed.notify_all()

    def clock(self, idling=4):
        """Seconds of progress: the emulator's CPU time by thread, or a part of the wall clock if that is more."""
        cpu = 0.0
        try:
            with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
                fields = file.read().rsplit(")", 1)[1].split()
            cpu = (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") / self.threads
        except OSError:
            pass
        return max(cpu, (time.monotonic() - self.started) / idling)

    def fail(self, why):
        raise MachineError(f"{self.name}: {why}; the end of the console:\n" + self.text[-4000:])

    def expect(self, pattern, timeout=60):
        """Waits for the regular expression in what has not been consumed; returns the match and consumes up to it."""
        compiled = re.compile(pattern, re.M)
        deadline = self.clock() + timeout
        with self.changed:
            while True:
                match = compiled.search(self.text, self.position)
                if match:
                    self.position = match.end()
                    return match
                if self.closed:
                    self.fail(f"ended while `{pattern}` was awaited")
                if self.clock() > deadline:
                    self.fail(f"no `{pattern}` within {timeout} s")
                self.changed.wait(0.5)

    def send(self, text):
        """Types. A UART's queue holds 16 characters, so a few at a time."""
        data = text.encode()
        for start in range(0, len(data), 4):
            self.serial.sendall(data[start:start + 4])
            if start + 4 < len(data):
                self.progress(0.02)

    def progress(self, seconds):
        """Lets the emulator run for so long."""
        deadline = self.clock(self.idling) + seconds
        while self.clock(self.idling) < deadline and not self.closed:
            time.sleep(min(0.05, seconds))

    def command(self, line, prompt=PROMPT, timeout=60):
        """
        Types a line at a prompt and returns what is printed up to the next prompt. News that the console prints
        meanwhile make it draw prompt and line again; such a prompt is not the next one.
        """
        with self.changed:
            self.position = len(self.text)
        self.send(line)
        self.expect(re.escape(line), timeout)
        self.send("\r")
        self.expect(r"\n", timeout)
        start = self.position
        while True:
            end = self.expect("^" + prompt, timeout).start()
            self.progress(self.settling)
            again = re.compile(re.escape(line) + r"\n").match(self.text, self.position)
            if not again:
                return self.text[start:end]
            start = self.position = again.end()

    def command_end(self, line, timeout=60):
        """A line at the prompt after which the machine switches itself off."""
        self.send(line + "\r")
        self.wait_end(timeout)

    def emulator_command(self, line):
        """Gives QEMU's monitor a line; the machine was started with monitor=True."""
        return emulators.tell(self.scratch, line)

    def wait_end(self, timeout=60):
        """Waits until the emulator ends by itself."""
        deadline = self.clock() + timeout
        while self.process.poll() is None:
            if self.clock() > deadline:
                self.fail(f"still on after {timeout} s")
            time.sleep(0.1)
        self.reader.join(5)

    def close(self):
        """Ends the emulator, keeps the console's text in build/tests/system/logs."""
        emulators.kill(self.process)
        try:
            self.serial.shutdown(socket.SHUT_RDWR)
        except (AttributeError, OSError):
            pass
        logs = os.path.join(SYSTEM, "logs")
        os.makedirs(logs, exist_ok=True)
        with open(os.path.join(logs, self.name + ".log"), "w", encoding="utf-8") as file:
            file.write(self.text)
        shutil.rmtree(self.scratch, ignore_errors=True)
