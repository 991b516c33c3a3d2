#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Runs clang-tidy on what changed against the merge base with main (--all: on everything).

A file counts as changed when it, or a header of ours that it includes, did. Files that passed
before in exactly this form (with all their headers, flags and .clang-tidy) are not run again: the
stamps are in the build folder.
"""
import argparse
import concurrent.futures
import hashlib
import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
INCLUDE = re.compile(rb'^\s*#\s*include\s*"([^"]+)"', re.MULTILINE)


def git(*words):
    done = subprocess.run(["git", *words], cwd=ROOT, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return done.stdout.split("\n") if done.returncode == 0 else None


def changed_files():
    """Against the merge base with main and in the working tree; None when there is no history."""
    head = (git("rev-parse", "HEAD") or [""])[0]
    bases = [git("merge-base", "HEAD", main) for main in ("origin/main", "main")]
    base = next((found[0] for found in bases if found), head)
    if base == head:  # on main itself, or without one: the last commit
        base = (git("rev-parse", "HEAD~1") or [None])[0]
    if base is None:
        return None
    changed = git("diff", "--name-only", base) or []
    return set(changed) | set(git("ls-files", "-o", "--exclude-standard") or [])


class Includes:
    """The headers of ours that a file reads, directly or not."""

    def __init__(self, folders):
        self.folders = folders
        self.closures = {}
        self.contents = {}

    def content(self, path):
        if path not in self.contents:
            self.contents[path] = path.read_bytes()
        return self.contents[path]

    def of(self, path):
        found, queue = set(), [path]
        while queue:
            current = queue.pop()
            for name in INCLUDE.findall(self.content(current)):
                header = self.resolve(current, name.decode())
                if header and header not in found:
                    found.add(header)
                    queue.append(header)
        return found

    def resolve(self, path, name):
        for folder in [path.parent, *self.folders]:
            if (folder / name).is_file():
                return (folder / name).resolve()
        return None


def stamp_of(entry, headers, includes):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    digest.update(entry["command"].encode())
    for path in [Path(entry["file"]), *sorted(headers)]:
        digest.update(str(path).encode() + b"\0" + includes.content(path))
    return digest.hexdigest()


def tidy(entry, build):
    done = subprocess.run(["clang-tidy-14", "-p", str(build), "--quiet", entry["file"]], text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    return done.returncode, done.stdout + (done.stderr if done.returncode else "")


def work(options):
    """(entries to run, how many passed before, folder of stamps)"""
    entries = json.loads((options.build / "compile_commands.json").read_text())
    entries = [e for e in entries if not Path(e["file"]).is_relative_to(options.build.resolve())]
    folders = {ROOT / "src", ROOT}
    for entry in entries:
        folders |= {Path(w[2:]) for w in shlex.split(entry["command"]) if w.startswith("-I")}
    includes = Includes(sorted(folders))
    changed = None if options.all else changed_files()
    stamps = options.build / "tidy"
    stamps.mkdir(exist_ok=True)
    chosen, passed = [], 0
    for entry in entries:
        path = Path(entry["file"])
        headers = includes.of(path)
        names = {p.relative_to(ROOT).as_posix() for p in [path, *headers] if p.is_relative_to(ROOT)}
        if changed is not None and not names & changed and ".clang-tidy" not in changed:
            continue
        entry["stamp"] = stamps / stamp_of(entry, headers, includes)
        if entry["stamp"].exists():
            passed += 1
        else:
            chosen.append(entry)
    return chosen, passed


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--build", type=Path, default=ROOT / "build/debug")
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    chosen, passed = work(options)
    print(f"tidy: {len(chosen)} files to check, {passed} unchanged since they passed", flush=True)
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for entry, (code, output) in zip(chosen, pool.map(lambda e: tidy(e, options.build), chosen)):
            if code == 0:
                entry["stamp"].touch()
            else:
                failed += 1
                print(output, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
