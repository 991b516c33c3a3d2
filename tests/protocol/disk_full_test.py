#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A disk that is full while snapshots are saved: the last good one is kept, writes are refused,
reads go on, and all heals by itself when there is space again. Needs root, for a small tmpfs."""
import hashlib
import os
import random
import subprocess
import time
import unittest

from resp_client import Client
from servers import Server

MEGABYTE = 1 << 20


@unittest.skipUnless(os.geteuid() == 0, "mounting a file system needs root")
class DiskFull(unittest.TestCase):
    def mount(self, *arguments):
        subprocess.run(["mount", *arguments], check=True, timeout=20)

    def setUp(self):
        self.server = Server("mikura")
        self.addCleanup(self.server.stop)
        self.folder = self.server.folder.name
        self.server.process.terminate()
        self.assertEqual(self.server.process.wait(30), 0)
        self.mount("-t", "tmpfs", "-o", "size=4m", "small", self.folder)
        self.addCleanup(subprocess.run, ["umount", "-l", self.folder], check=True)
        self.server.start()
        self.client = Client(self.server.host, self.server.port, seconds_max=60)
        self.addCleanup(self.client.close)

    def info(self, field):
        text = self.client.call("INFO", "persistence").text.replace("\\r\\n", "\r\n")
        return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)[field]

    def wait_for(self, field, value):
        deadline = time.monotonic() + 60
        while self.info(field) != value:
            self.assertLess(time.monotonic(), deadline, f"{field} is not {value}")
            time.sleep(0.05)

    def fingerprint(self):
        with open(os.path.join(self.folder, "dump.rdb"), "rb") as file:
            return hashlib.sha256(file.read()).hexdigest()

    def fill(self, prefix, megabytes):
        chance = random.Random(prefix)
        for i in range(megabytes * 8):
            reply = self.client.call("SET", f"{prefix}{i}", chance.randbytes(MEGABYTE // 8))
            self.assertEqual(reply.text, "+OK")

    def test_what_was_saved_is_kept_and_it_heals(self):
        client = self.client
        self.fill("good", 2)
        self.assertEqual(client.call("SAVE").text, "+OK")
        before = self.fingerprint()

        self.fill("more", 4)
        client.call("CONFIG", "SET", "save", "1 1")
        self.wait_for("rdb_last_bgsave_status", "err")
        self.assertEqual(self.fingerprint(), before)
        self.assertEqual(sorted(os.listdir(self.folder)), ["dump.rdb", "log"])
        for words in (("SET", "k", "v"), ("DEL", "good0"), ("PING",)):
            self.assertEqual(client.call(*words).text[:9], "-MISCONF ", words)
        self.assertEqual(client.call("DBSIZE").text, ":48")
        self.assertEqual(client.call("STRLEN", "more31").text, f":{MEGABYTE // 8}")
        self.assertIn("No space left on device", self.server.log())

        self.mount("-o", "remount,size=64m", self.folder)
        self.wait_for("rdb_last_bgsave_status", "ok")
        self.assertEqual(client.call("SET", "k", "v").text, "+OK")
        self.assertNotEqual(self.fingerprint(), before)

        digest = client.call("DEBUG", "DIGEST").text
        self.server.process.terminate()
        self.assertEqual(self.server.process.wait(30), 0)
        self.server.start()
        again = Client(self.server.host, self.server.port, seconds_max=60)
        self.addCleanup(again.close)
        deadline = time.monotonic() + 30
        while again.call("PING").text != "+PONG":
            self.assertLess(time.monotonic(), deadline)
        self.assertEqual(again.call("DEBUG", "DIGEST").text, digest)


if __name__ == "__main__":
    unittest.main()
