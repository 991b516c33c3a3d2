# SPDX-License-Identifier: Apache-2.0
"""Starts and stops the servers of a comparison: pinned, on free ports, in scratch folders."""
import os
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS_MAX = 15
# A real-time process that never blocks would take its core away for good; the kernel ends it here.
REAL_TIME_MICROS_MAX = 20_000_000


class BenchError(Exception):
    """Something that ends the run, in words for the one who started it."""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def real_time():
    """Real-time priority for the process to be started, with a hard limit on its CPU in one go."""
    resource.setrlimit(resource.RLIMIT_RTTIME, (REAL_TIME_MICROS_MAX, REAL_TIME_MICROS_MAX))
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))


def may_use_real_time():
    """Tried in a child: this process stays as it is."""
    done = subprocess.run(["true"], preexec_fn=real_time, check=False) if os.geteuid() == 0 else None
    return done is not None and done.returncode == 0


class Server:
    """One process under test. `command` is a list; {port}, {memcached_port} and {dir} are filled in."""

    def __init__(self, name, command, serves, is_floor=False):
        self.name = name
        self.command = command
        self.serves = serves  # protocols: a set of resp, text, meta, mcbin
        self.is_floor = is_floor  # answers without data: load nothing, check no contents
        self.process = None
        self.folder = None
        self.ports = {}

    def start(self, cpus, with_real_time=False):
        self.folder = Path(tempfile.mkdtemp(prefix="mikura-bench-"))
        port, memcached_port = free_port(), free_port()
        words = [word.format(port=port, memcached_port=memcached_port, dir=self.folder)
                 for word in self.command]
        both = any("{memcached_port}" in word for word in self.command)
        self.ports = {protocol: memcached_port if both and protocol != "resp" else port
                      for protocol in self.serves}
        with open(self.folder / "log", "wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", cpus] + words, cwd=self.folder, stdin=subprocess.DEVNULL,
                stdout=log, stderr=log, preexec_fn=real_time if with_real_time else None)
        for listening in sorted(set(self.ports.values())):
            self._await(listening)

    def _await(self, port):
        """Polls, since a server tells nobody when it listens."""
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            try:
                socket.create_connection(("127.0.0.1", port), 1).close()
                return
            except OSError:
                time.sleep(0.02)
        log = (self.folder / "log").read_text(errors="replace")[-800:]
        self.stop()
        raise BenchError(f"{self.name} does not listen on {port}:\n{log}")

    def stop(self):
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None
        if self.folder is not None:
            shutil.rmtree(self.folder, ignore_errors=True)
            self.folder = None


def floor(build, protocol, key_bytes, value_bytes):
    return Server("floor", [str(build / "floor_server"), "--port", "{port}", "--protocol", protocol,
                            "--key-bytes", str(key_bytes), "--value-bytes", str(value_bytes)],
                  {protocol}, is_floor=True)


def redis(threads):
    command = ["redis-server", "--port", "{port}", "--bind", "127.0.0.1", "--save", "",
               "--appendonly", "no", "--dir", "{dir}"]
    if threads > 1:
        command += ["--io-threads", str(threads), "--io-threads-do-reads", "yes"]
    return Server("redis", command, {"resp"})


def memcached(threads, connections_max=1024):
    # Debian's memcached refuses to run as root without -u.
    user = ["-u", "root"] if os.geteuid() == 0 else []
    return Server("memcached", ["memcached", "-p", "{port}", "-l", "127.0.0.1", "-U", "0", "-m",
                                "2048", "-c", str(connections_max), "-t", str(threads)] + user,
                  {"text", "meta", "mcbin"})


def mikura(binary, threads, name="mikura"):
    return Server(name, [str(binary), "engine", "--bind", "127.0.0.1", "--port", "{port}",
                             "--memcached-port", "{memcached_port}", "--threads", str(threads)],
                  {"resp", "text", "meta", "mcbin"})


def version_of(name, binary=None):
    """The first line of `--version`, or of what takes its place."""
    command = {"redis": ["redis-server", "--version"], "memcached": ["memcached", "-V"],
               "mikura": [str(binary), "--version"]}.get(name)
    if command is None or shutil.which(command[0]) is None:
        return ""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          timeout=20, check=False)
    return done.stdout.splitlines()[0].strip() if done.stdout else ""


def resident_bytes(pid):
    """Resident memory of a process, from /proc."""
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGESIZE")
