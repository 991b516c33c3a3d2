#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Holds every #include under src/ against tools/layers.txt.

Fails on an include that the folder's line does not allow, on a folder without a line, and on
boost/asio or boost/beast in a header (they cost seconds in every file that includes it).
A folder may always include from itself and its own subfolders, unless a subfolder has a line of
its own that says less: the most specific line holds for the file that includes. main.cc and main.h build the
parts and pass them to each other: they stand outside.
"""
import fnmatch
import re
import sys
from pathlib import Path

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]')
SOURCE_SUFFIXES = {".h", ".cc"}


def read_layers(text):
    """{folder: [allowed patterns]} in the order of the file."""
    layers = {}
    for number, line in enumerate(text.splitlines(), 1):
        line = line.split("#", 1)[0]
        if not line.strip():
            continue
        parts = line.split()
        # Several folders may share a line: "wire, engine/net  base".
        last = next(i for i, part in enumerate(parts) if not part.endswith(","))
        allowed = [part for part in parts[last + 1:] if part != "-"]
        if len(parts) < last + 2:
            raise ValueError(f"layers.txt:{number}: a folder without a list (write - for none)")
        for folder in parts[:last + 1]:
            layers[folder.rstrip(",")] = allowed
    return layers


def line_of(folder, layers):
    """The most specific line that covers `folder`, or None."""
    while folder:
        if folder in layers:
            return folder
        folder = folder.rpartition("/")[0]
    return None


def allows(layers, line, target_folder):
    target_line = line_of(target_folder, layers)
    if target_line == line:
        return True
    names = [target_line] if target_line else []
    names.append(target_folder)
    if any(name.startswith(line + "/") for name in names):
        return True
    return any(fnmatch.fnmatch(name, pattern)
               for name in names for pattern in layers[line])


def check_file(path, src, layers):
    relative = path.relative_to(src)
    folder = relative.parent.as_posix()
    text = path.read_text(encoding="utf-8")
    outside = relative.stem == "main"
    line = line_of(folder, layers)
    if line is None and not outside:
        return [f"src/{relative}: tools/layers.txt has no line for {folder}"]
    problems = []
    for number, source_line in enumerate(text.splitlines(), 1):
        match = INCLUDE.match(source_line)
        if not match:
            continue
        target = match.group(2)
        place = f"src/{relative}:{number}"
        if path.suffix == ".h" and re.match(r"boost/(asio|beast)\b", target):
            problems.append(f"{place}: {target} in a header; keep it in one source file")
        if match.group(1) == "<" or outside:
            continue
        target_folder = target.rpartition("/")[0]
        if not target_folder:
            problems.append(f'{place}: "{target}": write includes absolute from src/')
        elif not allows(layers, line, target_folder):
            problems.append(f"{place}: {folder} may not include {target_folder} (tools/layers.txt)")
    return problems


def check(root):
    src = root / "src"
    layers = read_layers((root / "tools/layers.txt").read_text(encoding="utf-8"))
    problems = []
    for path in sorted(src.rglob("*")):
        if path.suffix in SOURCE_SUFFIXES:
            problems += check_file(path, src, layers)
    return problems


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent)
    problems = check(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
