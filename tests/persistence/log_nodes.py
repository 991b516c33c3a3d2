# SPDX-License-Identifier: Apache-2.0
"""Servers with an append log, ours and redis-server's, and what the tests ask them."""
import shutil
import signal
import subprocess
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "protocol"))

from resp_client import Client  # noqa: E402
from servers import Server, mikura_binary  # noqa: E402

PATIENCE_SECONDS = 60


class LogTest(unittest.TestCase):
    def node(self, kind="mikura", *options):
        node = Server(kind, "--appendonly", "yes", *options)
        self.addCleanup(node.stop)
        return node

    def client(self, node):
        client = Client(node.host, node.port, seconds_max=PATIENCE_SECONDS)
        self.addCleanup(client.close)
        return client

    def ready(self, node):
        """A client of a node that has loaded its data."""
        client = self.client(node)
        self.await_true(lambda: client.call("DBSIZE").text.startswith(":"), "it has loaded")
        return client

    def await_true(self, condition, what):
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, f"not in time: {what}")
            time.sleep(0.02)

    def info(self, client, section="persistence"):
        text = client.call("INFO", section).text.replace("\\r\\n", "\r\n")
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)

    def await_rewrite(self, client):
        self.await_true(lambda: self.info(client)["aof_rewrite_in_progress"] == "0", "a rewrite")
        self.assertEqual(self.info(client)["aof_last_bgrewrite_status"], "ok")

    def kill(self, node):
        node.process.send_signal(signal.SIGKILL)
        node.process.wait()

    def end(self, node):
        node.process.terminate()
        self.assertEqual(node.process.wait(PATIENCE_SECONDS), 0, node.log())

    def folder(self, node):
        return Path(node.folder.name) / "appendonlydir"

    def increment(self, node):
        return sorted(self.folder(node).glob("*.incr.aof"))[-1]

    def move_log(self, source, target):
        """The log of an ended node becomes that of another one, which is started with it."""
        self.kill(target)
        shutil.rmtree(self.folder(target), ignore_errors=True)
        shutil.copytree(self.folder(source), self.folder(target))
        target.start()
        return self.ready(target)

    def check(self, node):
        """redis-check-aof accepts the log."""
        done = subprocess.run(
            ["redis-check-aof", str(self.folder(node) / "appendonly.aof.manifest")],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("All AOF files and manifest are valid", done.stdout)

    def refusal(self, node, *options):
        """Starts an ended node, which must not come up; what it says."""
        done = subprocess.run(
            [mikura_binary(), "engine", "--port", str(node.port), "--dir", node.folder.name,
             "--appendonly", "yes", *options], stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            text=True, timeout=PATIENCE_SECONDS, check=False)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stdout


def have(*programs):
    return all(shutil.which(program) for program in programs)
