# SPDX-License-Identifier: Apache-2.0
"""Starts the servers that the tests speak to, each on a free port and in a folder of its own."""
import os
import socket
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def mikura_binary():
    return os.environ.get("MIKURA_BIN") or os.path.join(ROOT, "build/release/mikura")


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """kind: "mikura" or "redis". A context manager; the process ends with it."""

    def __init__(self, kind, *options):
        self.kind, self.host, self.port, self.options = kind, "127.0.0.1", free_port(), options
        self.folder = tempfile.TemporaryDirectory(prefix=f"{kind}-protocol-")
        self.log_path = os.path.join(self.folder.name, "log")
        self.start()

    def start(self):
        """Also again, after the process has ended."""
        kind, options = self.kind, self.options
        command = ([mikura_binary(), "engine", "--threads", "2"] if kind == "mikura"
                   else ["redis-server", "--save", ""])
        command += ["--port", str(self.port), "--bind", "127.0.0.1", "--dir", self.folder.name,
                    "--enable-debug-command", "yes", *options]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT)
        self.wait_until_ready()

    def wait_until_ready(self):
        deadline = time.monotonic() + 20
        while True:
            try:
                with socket.create_connection((self.host, self.port), timeout=1) as probe:
                    probe.sendall(b"PING\r\n")
                    if probe.recv(100):
                        return
            except OSError:
                pass
            if self.process.poll() is not None or time.monotonic() > deadline:
                log = self.log()
                self.stop()
                raise RuntimeError(f"{self.kind} does not start:\n{log}")
            time.sleep(0.05)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return log.read()[-4000:]

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.folder.cleanup()

    def __enter__(self):
        return self

    def __exit__(self, *unused):
        self.stop()
