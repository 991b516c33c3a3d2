#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A client that waits and tracks keys: what follows from its own command comes behind the reply."""
import sys
import unittest

from resp_client import encode
from side_by_side import SideBySide


class BlockedTrackingTest(SideBySide):
    OPTIONS = ("--threads", "4")

    def test_its_own_change_is_told_behind_the_reply(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                admin, client = self.client(server), self.client(server)
                client.call("HELLO", "3")
                client.call("CLIENT", "TRACKING", "ON")
                for i in range(200):
                    admin.call("DEL", "from", "to")
                    admin.call("RPUSH", "to", "a")
                    client.call("LRANGE", "to", "0", "-1")
                    number = str(i)
                    client.send(encode([b"BLMOVE", b"from", b"to", b"LEFT", b"LEFT", b"0"]))
                    while " b" not in "".join(
                            f" {field[6:]}" for field in admin.call("CLIENT", "LIST").text.split()
                            if field.startswith("flags=")):
                        pass
                    admin.call("RPUSH", "from", number)
                    self.assertEqual(client.read().text, "$" + number)
                    self.assertEqual(" ".join(client.read().lines()), ">2 $invalidate *1 $to")
                    self.assertEqual(client.call("PING").text, "+PONG")


if __name__ == "__main__":
    sys.exit(unittest.main())
