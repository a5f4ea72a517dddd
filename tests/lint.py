"""Checks of the source tree itself: headers, layout, size of the kernel."""
import os
import re
import subprocess

# With both back ends, PCI and both kinds of IOMMU.
KERNEL_LINES_MAX = 11500
KERNEL_FOLDERS = ("kernel", "arch")
INCLUDE = ["-I.", "-Ikernel", "-Iarch/x86_64", "-Iguests/include", "-Iguests/lib", "-Iguests/monitor",
           "-I/usr/include/efi", "-I/usr/include/efi/x86_64", "-Ibuild/src/zydis/include",
           "-Ibuild/src/zycore/include", "-Ibuild/src/zydis/src"]
# As in guests/console/console.mk.
CONSOLE = ["-Iguests/console/ip", "-isystem", "guests/console/ip/libc", "-isystem", "build/src/lwip/src/include",
           "-isystem", "build/src/mbedtls/include",
           "-DMBEDTLS_CONFIG_FILE=\"guests/console/tls/mbedtls_config.h\""]


def sources(*suffixes, folders=(".",)):
    """Our own files, sorted; what is generated or fetched lies in build/."""
    found = []
    for folder in folders:
        for path, folders_below, names in os.walk(folder):
            folders_below[:] = [n for n in folders_below if n not in ("build", ".git")]
            found += [os.path.relpath(os.path.join(path, n)) for n in names if n.endswith(suffixes)]
    return sorted(found)


def code_lines(text):
    """The number of lines that are neither blank nor comment. Strings are told from comments."""
    token = re.compile(r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)

    def replace(match):
        found = match.group(0)
        return "\n" * found.count("\n") if found.startswith("/") else found

    return sum(1 for line in token.sub(replace, text).splitlines() if line.strip())


def kernel_lines():
    total = 0
    for name in sources(".c", ".h", ".S", folders=KERNEL_FOLDERS):
        with open(name, encoding="utf-8") as file:
            total += code_lines(file.read())
    return total


def check_header(name):
    """A header that compiles alone needs nothing to be included before it."""
    compiler = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-fshort-wchar"]
    if name.startswith("tests/"):
        compiler.append("-DHOST_TEST")
    if name.startswith(("guests/console/ip/", "guests/console/tls/")):
        compiler += CONSOLE
    done = subprocess.run(compiler + INCLUDE + ["-include", name, "-x", "c", "/dev/null"],
                          capture_output=True, text=True)
    return done.stderr


def check_layout(names):
    done = subprocess.run(["clang-format", "--dry-run", "-Werror"] + names, capture_output=True, text=True)
    places = [line.split(": ")[0] for line in done.stderr.splitlines() if "error:" in line]
    return f"{len(places)} places, the first at {places[0]}: run clang-format -i\n" if places else ""


def run():
    """Yields (name of the check, what is wrong or an empty text)."""
    for name in sources(".h"):
        yield "header alone: " + name, check_header(name)
    for name in sources(".c", ".h"):
        yield "layout: " + name, check_layout([name])
    lines = kernel_lines()
    yield ("lines of the kernel", "" if lines <= KERNEL_LINES_MAX else
           f"{lines} lines in kernel/ and arch/, at most {KERNEL_LINES_MAX} are wanted\n")
