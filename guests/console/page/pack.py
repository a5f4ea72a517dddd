#!/usr/bin/python3
"""Makes of the page's files what is built into the console.

    pack.py --xterm FOLDER --out FOLDER FILE...

Each file is compressed to OUT/NAME.gz; OUT/files.S holds them, OUT/files.c is the table of them (page.h). xterm.js is
made of the CommonJS modules of Debian's package, whose ready-made file for browsers holds nothing.
"""
import argparse
import gzip
import hashlib
import os
import re

TYPES = {".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml",
         ".js": "text/javascript; charset=utf-8"}
# Markup that it writes, and the text that it means: the page's policy allows text only.
MARKUP = ("innerHTML += '&nbsp;'", "textContent += '\\u00a0'")
REQUIRE = re.compile(r'require\("(\.[^"]+)"\)')
NOTICE = """/* xterm.js {version}, the modules of Debian's package node-xterm joined to one. Licence: see xterm.css. */
"""


def without_comments(text):
    """Whole lines of comment, which is what the compiler of xterm.js leaves, and the name of a map that is not here."""
    return re.sub(r"^\s*(//.*|/\*.*?\*/\s*)$\n?", "", text, flags=re.M)


def modules_below(folder, name, found):
    """The modules that `name` needs, itself last: each with the requires made absolute."""
    if name in found:
        return
    found[name] = None
    with open(os.path.join(folder, name + ".js"), encoding="utf-8") as file:
        text = file.read()

    def absolute(match):
        other = os.path.normpath(os.path.join(os.path.dirname(name), match.group(1)))
        modules_below(folder, other, found)
        return f'require("{other}")'

    found[name] = REQUIRE.sub(absolute, without_comments(text)).replace(*MARKUP)


def join_xterm(folder):
    """One ES module that exports Terminal."""
    found = {}
    modules_below(os.path.join(folder, "lib"), "public/Terminal", found)
    with open(os.path.join(folder, "package.json"), encoding="utf-8") as file:
        version = re.search(r'"version": "([^"]+)"', file.read()).group(1)
    parts = [NOTICE.format(version=version), "const modules = {\n"]
    parts += [f'"{name}": function (module, exports, require) {{\n{text}}},\n' for name, text in found.items()]
    parts.append("""};
const known = {};
function load(name) {
	if (!known[name]) {
		known[name] = { exports: {} };
		modules[name].call(undefined, known[name], known[name].exports, load);
	}
	return known[name].exports;
}
export const Terminal = load("public/Terminal").Terminal;
""")
    return "".join(parts).encode()


def contents(options):
    """Pairs of a name and the bytes."""
    for path in options.files:
        with open(path, "rb") as file:
            yield os.path.basename(path), file.read()
    yield "xterm.js", join_xterm(options.xterm)
    with open(os.path.join(options.xterm, "lib/xterm.css"), "rb") as file:
        yield "xterm.css", file.read()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--xterm", required=True)
    parser.add_argument("--out", required=True)
    parser.add_argument("files", nargs="+")
    options = parser.parse_args()

    os.makedirs(options.out, exist_ok=True)
    data, table, names = [], [], []
    for index, (name, text) in enumerate(contents(options)):
        packed = gzip.compress(text, 9, mtime=0)
        path = os.path.join(options.out, name + ".gz")
        with open(path, "wb") as file:
            file.write(packed)
        names.append(f"page_{index}")
        where = "/" if name == "index.html" else "/" + name
        tag = hashlib.sha256(packed).hexdigest()[:16]
        kind = TYPES[os.path.splitext(name)[1]]
        data.append(f'\t.globl page_{index}\npage_{index}:\n\t.incbin "{path}"\n')
        table.append(f'\t{{ "{where}", "{kind}", "gzip", "\\"{tag}\\"", page_{index}, {len(packed)} }},\n')
    with open(os.path.join(options.out, "files.S"), "w", encoding="utf-8") as file:
        file.write("\t.section .rodata\n" + "".join(data) + '\t.section .note.GNU-stack, "", @progbits\n')
    with open(os.path.join(options.out, "files.c"), "w", encoding="utf-8") as file:
        file.write('#include "guests/console/page/page.h"\n\nextern const uint8_t ' +
                   ", ".join(name + "[]" for name in names) + ";\n\nconst struct http_file page_files[] = {\n" +
                   "".join(table) + "};\nconst unsigned page_file_count = sizeof(page_files) / sizeof(page_files[0]);\n")


if __name__ == "__main__":
    main()
