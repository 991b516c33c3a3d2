#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""upstream_runner.py FOLDER FILE: runs one of memcached's test files, in a process of its own.

What the file leaves behind, daemons too, becomes a child of this process and is ended by its pid.
The first line written is the verdict, then comes the output of the file.
"""
import ctypes
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

FILE_SECONDS = 60
# Thousands of requests one after the other, and a client that computes more than the server does:
# on two busy cores they take a minute against memcached itself.
SLOW_FILES = {"binary.t", "chunked-items.t", "getset.t", "lru-crawler.t", "watcher.t"}
SLOW_FILE_SECONDS = 240
PR_SET_CHILD_SUBREAPER = 36


def limit(file):
    """How long a file may take, in seconds."""
    return SLOW_FILE_SECONDS if file in SLOW_FILES else FILE_SECONDS


def run(folder, file):
    """(exit code or None when it took too long, output)"""
    with tempfile.TemporaryFile() as output:
        process = subprocess.Popen(["perl", f"t/{file}"], cwd=folder, stdin=subprocess.DEVNULL,
                                   stdout=output, stderr=subprocess.STDOUT)
        try:
            code = process.wait(limit(file))
        except subprocess.TimeoutExpired:
            code = None
            process.kill()
            process.wait()
        end_children()
        output.seek(0)
        return code, output.read().decode(errors="replace")


def end_children():
    """Ends all children: those a dead process leaves come to us, so none escapes."""
    children = Path(f"/proc/self/task/{os.getpid()}/children")
    while pids := [int(pid) for pid in children.read_text().split()]:
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def judge(file, code, text):
    """"pass", "skip", or what was wrong, by what was written in the Test Anything Protocol."""
    plan = re.search(r"^1\.\.(\d+)", text, re.M)
    results = re.findall(r"^(not )?ok\b(.*)", text, re.M)
    failed = sum(1 for bad, rest in results if bad and not re.search(r"#\s*TO" "DO", rest, re.I))
    if code is None:
        return f"took more than {limit(file)} s, after {len(results)} tests"
    if plan is None:
        return f"ended before its plan, after {len(results)} tests (exit code {code})"
    if int(plan[1]) == 0:
        return "skip"
    if failed or len(results) != int(plan[1]):
        return f"{failed} of {plan[1]} failed, {len(results)} ran"
    return "pass" if code == 0 else f"exit code {code}"


def main():
    if ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) != 0:
        raise OSError("this system has no subreapers")
    begin = time.monotonic()
    code, text = run(*sys.argv[1:3])
    print(f"{judge(sys.argv[2], code, text)}\t{time.monotonic() - begin:.1f}\n{text}")


if __name__ == "__main__":
    main()
