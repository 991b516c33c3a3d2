#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What `mikura memcached -e FILE` keeps over a restart: values, flags, CAS and deadlines, in a file
that Redis' tools accept."""
import os
import signal
import socket
import subprocess
import tempfile
import time
import unittest

from servers import MIKURA, free_port, start_memcached


class Client:
    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.input = self.socket.makefile("rb")

    def call(self, text):
        self.socket.sendall(text.encode() + b"\r\n")
        return self.input.readline().decode().strip()

    def value(self, text):
        lines = [self.call(text)]
        while lines[-1] not in ("END", "EN") and not lines[-1].startswith(("HD", "ERROR")):
            lines.append(self.input.readline().decode().strip())
        return lines

    def close(self):
        self.input.close()
        self.socket.close()


class Restart(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="memcached-restart-")
        self.addCleanup(self.folder.cleanup)
        self.file = os.path.join(self.folder.name, "kept")

    def start(self, *flags):
        server = start_memcached(*flags, program=[MIKURA, "memcached"])
        self.addCleanup(server.stop)
        return server

    def client(self, server):
        client = Client(server.port)
        self.addCleanup(client.close)
        deadline = time.monotonic() + 30
        while client.call("get absent") != "END":  # while the file is loaded
            self.assertLess(time.monotonic(), deadline)
        return client

    def end(self, server, with_signal):
        server.process.send_signal(with_signal)
        self.assertEqual(server.process.wait(30), 0)

    def test_values_flags_cas_and_deadlines_are_kept(self):
        for with_signal in (signal.SIGTERM, signal.SIGUSR1):
            server = self.start("-e", self.file)
            client = self.client(server)
            self.assertEqual(client.call("set plain 0 0 5\r\nhello"), "STORED")
            self.assertEqual(client.call("set flagged 4294967295 0 3\r\nabc"), "STORED")
            self.assertEqual(client.call("set timed 7 1000 1\r\nx"), "STORED")
            self.assertEqual(client.call("set large 9 0 300000\r\n" + "y" * 300_000), "STORED")
            self.assertEqual(client.call("set number 3 0 2\r\n10"), "STORED")
            self.assertEqual(client.call("incr number 5"), "15")
            before = {name: client.value(f"gets {name}")
                      for name in ("plain", "flagged", "timed", "large", "number")}
            self.assertEqual(before["flagged"][0].split()[:4],
                             ["VALUE", "flagged", "4294967295", "3"])
            self.end(server, with_signal)
            checked = subprocess.run(["redis-check-rdb", self.file], capture_output=True,
                                     check=False, timeout=60)
            self.assertEqual(checked.returncode, 0, checked.stdout[-2000:])

            server = self.start("-e", self.file)
            client = self.client(server)
            for name, lines in before.items():
                self.assertEqual(client.value(f"gets {name}"), lines)
            left = int(client.call("mg timed t").split("t")[-1])
            self.assertTrue(900 < left <= 1000, left)
            # A CAS that was read before holds; the next one is larger.
            unique = before["flagged"][0].split()[4]
            self.assertEqual(client.call(f"cas flagged 1 0 1 {unique}\r\nz"), "STORED")
            self.assertEqual(client.call(f"cas flagged 1 0 1 {unique}\r\nz"), "EXISTS")
            self.assertGreater(int(client.value("gets flagged")[0].split()[4]), int(unique))
            self.end(server, with_signal)
            os.unlink(self.file)

    def test_without_a_file_nothing_is_read_or_written(self):
        server = self.start()
        folder = server.directory
        client = self.client(server)
        self.assertEqual(client.call("set k 0 0 1\r\nx"), "STORED")
        server.process.terminate()
        self.assertEqual(server.process.wait(30), 0)
        self.assertEqual([name for name in os.listdir(folder) if name.endswith(".rdb")], [])
        with open(os.path.join(folder, "dump.rdb"), "wb") as file:
            file.write(b"nothing that could be loaded")
        port = free_port()
        again = subprocess.Popen([MIKURA, "memcached", "-u", "root", "-l", "127.0.0.1", "-p",
                                  str(port)], cwd=folder, stderr=subprocess.DEVNULL)
        self.addCleanup(again.wait)
        self.addCleanup(again.terminate)
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                return
            except OSError:
                self.assertIsNone(again.poll())
                time.sleep(0.05)
        self.fail("it does not listen")

    def test_a_file_that_cannot_be_written_does_not_stop_the_cache(self):
        server = self.start("-e", self.file)
        client = self.client(server)
        self.assertEqual(client.call("set k 0 0 1\r\nx"), "STORED")
        os.mkdir(self.file)
        server.process.terminate()
        deadline = time.monotonic() + 30
        while b"not stopping" not in server.log_text():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertEqual(client.call("set k 0 0 1\r\ny"), "STORED")
        os.rmdir(self.file)
        self.end(server, signal.SIGTERM)
        self.assertTrue(os.path.isfile(self.file))


if __name__ == "__main__":
    unittest.main()
