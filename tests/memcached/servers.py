# SPDX-License-Identifier: Apache-2.0
"""Starts the servers that are compared, and talks to them in raw bytes.

MIKURA_BIN names the program under test; without it the tests of this folder are skipped.
"""
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time

MIKURA = os.environ.get("MIKURA_BIN", "")
MEMCACHED = shutil.which("memcached")
SENTINEL = b"mn\r\n"
SENTINEL_REPLY = b"MN\r\n"
REPLY_SECONDS = 10


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One process that listens on `port` for memcached clients."""

    def __init__(self, arguments, port, environment=None):
        self.port = port
        self.directory = tempfile.mkdtemp(prefix="memcached-test-")
        self.log = open(os.path.join(self.directory, "log"), "wb")
        self.process = subprocess.Popen(
            arguments, cwd=self.directory, stdout=self.log, stderr=self.log,
            env={**os.environ, **(environment or {})})
        deadline = time.monotonic() + REPLY_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    self.stop()
                    raise RuntimeError(f"{arguments[0]} does not listen on {port}")
                time.sleep(0.02)

    def log_text(self):
        with open(os.path.join(self.directory, "log"), "rb") as file:
            return file.read()

    def stop(self):
        self.process.terminate()
        try:
            self.process.wait(timeout=REPLY_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        shutil.rmtree(self.directory, ignore_errors=True)


def start_memcached(*flags, environment=None, program=MEMCACHED):
    """`program` may be [mikura, "memcached"], which takes the same flags."""
    port = free_port()
    command = program if isinstance(program, list) else [program]
    return Server([*command, "-u", "root", "-l", "127.0.0.1", "-p", str(port), *flags], port,
                  environment)


def start_mikura(*flags):
    port, resp_port = free_port(), free_port()
    server = Server([MIKURA, "engine", "--bind", "127.0.0.1", "--port", str(resp_port),
                     "--memcached-port", str(port), *flags], port)
    server.resp_port = resp_port
    return server


def resident_bytes(pid):
    with open(f"/proc/{pid}/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Client:
    def __init__(self, server):
        self.server = server
        self.socket = None
        self.connect()

    def connect(self):
        self.close()
        self.socket = socket.create_connection(("127.0.0.1", self.server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        if self.socket is not None:
            self.socket.close()
            self.socket = None

    def ask(self, data, seconds=REPLY_SECONDS):
        """Sends `data` and a no-op behind it; returns (what was answered before the no-op, state).

        State: "open", "closed", or "waiting" when the no-op was taken for something else.
        """
        self.socket.settimeout(seconds)
        reply = b""
        try:
            self.socket.sendall(data + SENTINEL)
            while not reply.endswith(SENTINEL_REPLY):
                piece = self.socket.recv(1 << 16)
                if not piece:
                    return reply, "closed"
                reply += piece
        except socket.timeout:
            return reply, "waiting"
        except (ConnectionResetError, BrokenPipeError):
            return reply, "closed"
        return reply[:-len(SENTINEL_REPLY)], "open"


class Normaliser:
    """Makes replies of different servers comparable: CAS values become ordinals in order of
    appearance, so that it is compared which are equal and which differ; sizes of memory and ages
    are left out."""

    VALUE = re.compile(rb"^(VALUE \S+ \d+ \d+) (\d+)\r$", re.M)
    META = re.compile(rb"^((?:HD|VA \d+|EX|NF|NS)(?: [^c\r\n][^ \r\n]*)*) c(\d+)", re.M)
    DEBUG = re.compile(rb"^(ME \S+ exp=-?\d+)(?: la=\d+)? cas=(\d+) (fetch=\w+).*\r$", re.M)
    TTL = re.compile(rb"( t|exp=-)(\d+)")

    def __init__(self):
        self.seen = {}

    def ordinal(self, cas):
        if cas == b"0":
            return b"0"
        return b"#%d" % self.seen.setdefault(cas, len(self.seen))

    @staticmethod
    def ttl(match):
        seconds = int(match[2])
        # One second may pass between two servers; memcached shows a wrapped number when the time
        # is over, we show 0.
        if seconds == 0 or seconds > 10**8:
            return match[1] + b"over"
        return match[1] + (b"%d" % round(seconds, -2) if seconds > 99 else match[2])

    def __call__(self, reply):
        reply = self.VALUE.sub(lambda m: m[1] + b" " + self.ordinal(m[2]) + b"\r", reply)
        reply = self.META.sub(lambda m: m[1] + b" c" + self.ordinal(m[2]), reply)
        reply = self.DEBUG.sub(
            lambda m: m[1] + b" cas=" + self.ordinal(m[2]) + b" " + m[3] + b"\r", reply)
        return self.TTL.sub(self.ttl, reply)
