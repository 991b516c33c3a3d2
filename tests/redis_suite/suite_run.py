# SPDX-License-Identifier: Apache-2.0
"""One file of Redis' Tcl suite against one server, in the suite's external mode."""
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS = 20
TRIES = 3  # the suite's own control port may be taken by another program
COLOUR = re.compile(r"\x1b\[[0-9;]*m")
RESULT = re.compile(r"^\[(ok|err|exception|skip|ignore|timeout)\]: (.*?)(?: \(\d+ ms\))?$")


@dataclass
class UnitResult:
    """Names of tests; a name that occurs twice has a number behind it."""
    passed: list = field(default_factory=list)
    failed: list = field(default_factory=list)
    end: str = "ended"  # or why the file did not come to its end
    output: str = ""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def free_base_port():
    """The suite wants the 32 ports before it, and those 10,000 above them, too: below the ports that
    the system hands out, and not beyond the last one."""
    return random.randrange(11_000, 22_000, 64)


def wait_until_it_answers(port, process):
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with socket.create_connection(("127.0.0.1", port), 1) as client:
                client.sendall(b"PING\r\n")
                if client.recv(64).startswith(b"+PONG"):
                    return True
        except OSError:
            pass
        time.sleep(0.05)
    return False


class Node:
    """A server in a folder of its own; `command` has {port} where the port belongs."""

    def __init__(self, command):
        self.port = free_port()
        self.folder = tempfile.mkdtemp(prefix="redis-suite-")
        words = [word.format(port=self.port) for word in command]
        self.log = open(Path(self.folder) / "server.log", "wb")  # closed by stop()
        self.process = subprocess.Popen(words, cwd=self.folder, stdin=subprocess.DEVNULL,
                                        stdout=self.log, stderr=subprocess.STDOUT)
        if not wait_until_it_answers(self.port, self.process):
            text = (Path(self.folder) / "server.log").read_text(errors="replace")
            self.stop()
            raise RuntimeError(f"{words[0]} did not start: {text[-500:]}")

    def stop(self):
        """Its exit code when it had ended by itself, else None."""
        code = self.process.poll()
        if code is None:
            self.process.kill()
        self.process.wait()
        self.log.close()
        if code is not None:
            sys.stdout.write((Path(self.folder) / "server.log").read_text(errors="replace")[-3000:])
        shutil.rmtree(self.folder, ignore_errors=True)
        return code


def parse(output):
    result = UnitResult(output=output)
    seen = {}
    for line in output.splitlines():
        match = RESULT.match(line.strip())
        if not match:
            continue
        verdict, name = match.groups()
        name = re.sub(r" in tests/\S+\.tcl$", "", name)
        if verdict == "exception":
            result.end = f"exception: {name}"
        if verdict not in ("ok", "err"):
            continue
        seen[name] = seen.get(name, 0) + 1
        if seen[name] > 1:
            name = f"{name} #{seen[name]}"
        (result.passed if verdict == "ok" else result.failed).append(name)
    return result


def run_unit(source, unit, command, options, seconds_max):
    for _ in range(TRIES):
        result = run_unit_once(source, unit, command, options, seconds_max)
        if "test_server_main" not in result.output:
            break
    return result


def run_unit_once(source, unit, command, options, seconds_max):
    node = Node(command)
    words = ["./runtest", "--host", "127.0.0.1", "--port", str(node.port), "--single", unit,
             "--clients", "1", "--baseport", str(free_base_port()), *options]
    process = subprocess.Popen(words, cwd=source, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, start_new_session=True)
    try:
        output, late = process.communicate(timeout=seconds_max)[0], False
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, late = process.communicate()[0], True
    code = node.stop()
    result = parse(COLOUR.sub("", output.decode(errors="replace")))
    if code is not None:
        result.end = f"the server ended with {code}"
    elif late:
        result.end = f"took more than {seconds_max} s"
    elif result.end == "ended" and "\\o/ All tests passed" not in result.output \
            and "!!! WARNING The following tests failed" not in result.output:
        lines = result.output.strip().splitlines() or ["no output"]
        result.end = "the suite stopped: " + lines[-1][:200]
    return result
