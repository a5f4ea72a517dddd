"""What an exit's way is made of: reads the instruction trace that Bochs' debugger prints."""
import bisect
import collections
import re
import subprocess

# (1).[749911975] [0x00003cc01dd1] 0008:ffffffff80001dd1 (unk. ctxt): shl rdx, 0x04             ; 48c1e204
LINE = re.compile(r"^\((\d+)\)(?:\.\[\d+\])? \[0x[0-9a-f]+\] [0-9a-f]{4}:([0-9a-f]+) \([^)]*\): (.*?)\s*; ([0-9a-f]+)$")

# What is counted beside the instructions, by mnemonic.
COUNTED = {"entries": ("vmlaunch", "vmresume"), "vmptrld": ("vmptrld",), "vmread": ("vmread",),
           "vmwrite": ("vmwrite",), "wrmsr": ("wrmsr",), "rdtsc": ("rdtsc", "rdtscp")}
COLUMNS = ("path", "kernel", "monitor", *COUNTED)

Instruction = collections.namedtuple("Instruction", "cpu address text size")


class TraceError(Exception):
    """The trace does not hold what was looked for."""


def parse_line(line):
    """The instruction of a line, or None if the line shows none."""
    found = LINE.match(line.strip())
    if not found:
        return None
    cpu, address, text, code = found.groups()
    return Instruction(int(cpu), int(address, 16), text, len(code) // 2)


def parse(text, cpu):
    """The instructions of one CPU, in their order."""
    lines = (parse_line(line) for line in text.splitlines())
    return [one for one in lines if one and one.cpu == cpu]


def mnemonic(instruction):
    return instruction.text.split()[0]


def operations(trace, address):
    """
    Splits a trace into operations: from the guest's instruction at `address`, which exits, up to the guest's next one,
    which is not part of it. What the trace's beginning or end cuts off is left out.
    """
    found, start, after = [], None, None
    for position, instruction in enumerate(trace):
        if start is not None and instruction.address == after:
            found.append(trace[start:position])
            start = None
        if start is None and instruction.address == address:
            start, after = position, address + instruction.size
    return found


def usual(found):
    """One of the way that most took, and how many did. The others were interrupted by somebody else's business."""
    if not found:
        raise TraceError("no whole operation is in the trace")
    ways = collections.Counter(tuple(one.address for one in operation) for operation in found)
    way, times = ways.most_common(1)[0]
    return next(operation for operation in found if tuple(one.address for one in operation) == way), times


def vmcs_fields(header):
    """Names of VMCS fields by their encoding, from the text of vmcs.h."""
    enum = re.search(r"enum vmcs_field \{(.*?)\};", header, re.S)
    pairs = re.findall(r"^\s*(\w+) = (0x[0-9a-fA-F]+)", enum.group(1) if enum else "", re.M)
    return {int(code, 16): name for name, code in pairs}


def described(operation, fields):
    """
    What is counted in the operation, in words, by its position there. VMREAD and VMWRITE get the name of their field if
    a constant was loaded into the register before; else they stay as the debugger prints them.
    """
    wanted = {word for words in COUNTED.values() for word in words}
    constants, words = {}, {}
    for position, one in enumerate(operation):
        name, *operands = one.text.replace(",", " ").split()
        if name in wanted:
            register = {"vmread": operands[-1:], "vmwrite": operands[:1]}.get(name)
            field = fields.get(constants.get(wide(register[0]))) if register else None
            words[position] = f"{name} {field}" if field else one.text
        if name == "mov" and len(operands) == 2 and re.fullmatch(r"0x[0-9a-f]+", operands[1]):
            constants[wide(operands[0])] = int(operands[1], 16)
        elif operands and name not in ("cmp", "test", "push", "vmwrite"):
            constants.pop(wide(operands[0]), None)
    return words


def wide(register):
    """The name of the 64-bit register that a 32-bit one is the half of."""
    return re.sub(r"^e", "r", re.sub(r"^(r\d+)d$", r"\1", register))


class Symbols:
    """The functions of an ELF file, by address."""

    def __init__(self, functions):
        self.functions = sorted(functions)
        self.starts = [start for start, _ in self.functions]

    @classmethod
    def of(cls, path):
        lines = subprocess.run(["nm", path], capture_output=True, text=True, check=True).stdout.splitlines()
        words = (line.split() for line in lines)
        return cls((int(word[0], 16), word[2]) for word in words if len(word) == 3 and word[1] in "tT")

    def __contains__(self, address):
        """Whether it lies among the functions; the last one ends with its page at the latest."""
        return bool(self.starts) and self.starts[0] <= address < (self.starts[-1] | 0xfff) + 1

    def name(self, address):
        """(function, offset)."""
        start, name = self.functions[bisect.bisect_right(self.starts, address) - 1]
        return name, address - start


def count(operation, kernel):
    """
    The numbers of an operation by the names of COLUMNS. `path` are all its instructions, the guest's own that exits
    among them; what is not in `kernel` (Symbols) belongs to the monitor.
    """
    behind = operation[1:]
    inside = sum(1 for one in behind if one.address in kernel)
    numbers = {"path": len(operation), "kernel": inside, "monitor": len(behind) - inside}
    for name, mnemonics in COUNTED.items():
        numbers[name] = sum(1 for one in behind if mnemonic(one) in mnemonics)
    return numbers


def where(instruction, kernel, monitor):
    """(kernel or monitor, function, offset)."""
    for side, symbols in (("kernel", kernel), ("monitor", monitor)):
        if instruction.address in symbols:
            return (side, *symbols.name(instruction.address))
    return "guest", "", 0


def stretches(operation, kernel, monitor):
    """The way by functions: (side, function, offset, positions of the instructions until it goes to another one)."""
    found = []
    for position, one in enumerate(operation):
        side, function, offset = where(one, kernel, monitor)
        if found and found[-1][:2] == (side, function):
            found[-1][3].append(position)
        else:
            found.append((side, function, offset, [position]))
    return found
