# SPDX-License-Identifier: Apache-2.0
"""What a node takes from a peer that is none: garbage, lengths without end, snapshots that are cut or
wrong, offsets that cannot be, silence. It stays alive, keeps or copies its data whole, and follows the
next primary."""
import socket
import threading
import time
import unittest

from nodes import MIKURA, Node, await_caught_up, eventually

ID = b"a" * 40


def snapshot_of(node):
    """The bytes that a replica without capabilities is sent."""
    with socket.create_connection(("127.0.0.1", node.port), 30) as replica:
        replica.sendall(b"SYNC\r\n")
        stream = replica.makefile("rb")
        line = stream.readline()
        while line.strip() == b"":
            line = stream.readline()
        return stream.read(int(line[1:]))


class BadPrimary:
    """Answers the handshake, and then PSYNC with `answer`."""

    def __init__(self, answer, handshake=b"+OK\r\n", closes=True):
        self.answer, self.handshake, self.closes = answer, handshake, closes
        self.syncs = 0
        self.connections = 0
        self.open = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                replica, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self.serve, args=(replica,), daemon=True).start()

    def serve(self, replica):
        try:
            while True:
                words = replica.recv(4096)
                if not words:
                    return
                if b"PSYNC" not in words:
                    replica.sendall(b"+PONG\r\n" if b"PING" in words else self.handshake)
                    continue
                replica.sendall(self.answer)
                self.syncs += 1
                if not self.closes:
                    self.open.append(replica)
                    return
                # Until the other side has had enough of it.
                replica.shutdown(socket.SHUT_WR)
                while replica.recv(4096):
                    pass
                return
        except OSError:
            pass
        finally:
            if replica not in self.open:
                replica.close()

    def stop(self):
        self.listener.close()
        for replica in self.open:
            replica.close()


def bulk(word):
    return b"$%d\r\n%s\r\n" % (len(word), word)


def command(*words):
    return b"*%d\r\n" % len(words) + b"".join(bulk(word) for word in words)


@unittest.skipUnless(MIKURA, "MIKURA_BIN is not set")
class BadLinksTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.primary = Node("mikura")
        cls.addClassCleanup(cls.primary.stop)
        for number in range(200):
            cls.primary.client.set(f"k{number}", "v" * number)
        cls.primary.client.hset("hash", mapping={f"f{i}": i for i in range(600)})
        cls.rdb = snapshot_of(cls.primary)
        cls.replica = Node("mikura")
        cls.addClassCleanup(cls.replica.stop)
        cls.replica.client.config_set("repl-timeout", 2)

    def follow_bad(self, answer, **options):
        bad = BadPrimary(answer, **options)
        self.addCleanup(bad.stop)
        self.follow(bad.port)
        return bad

    def follow(self, port):
        eventually(lambda: self.replica.client.replicaof("127.0.0.1", port), "it follows")

    def assert_alive(self):
        eventually(self.replica.client.ping, "it answers")

    def after_full_resync(self, snapshot, stream=b"", length=None):
        head = b"+FULLRESYNC " + ID + b" 100\r\n"
        return head + b"$%d\r\n" % (len(snapshot) if length is None else length) + snapshot + stream

    def assert_follows_a_good_one(self):
        self.assertIsNone(self.replica.process.poll())
        self.follow(self.primary.port)
        await_caught_up(self.replica, self.primary)
        self.assertEqual(self.replica.client.dbsize(), 201)
        self.assertEqual(self.replica.client.hlen("hash"), 600)

    def test_answers_that_are_none(self):
        for answer in (b"", b"\r\n" * 1000, b"+", b"garbage\r\n", b"-ERR no\r\n", b"+CONTINUE\r\n",
                       b"+CONTINUE " + ID + b"\r\n", b"+FULLRESYNC\r\n", b"+FULLRESYNC x y\r\n",
                       b"+FULLRESYNC " + ID + b" -5\r\n", b"+FULLRESYNC " + ID + b" 1" + b"0" * 30,
                       b"x" * 100_000, b"$5\r\nhello\r\n", bytes(range(256)) * 100):
            with self.subTest(answer[:40]):
                bad = self.follow_bad(answer)
                eventually(lambda: bad.syncs > 0, "it asks")
                self.assert_alive()
        self.assert_follows_a_good_one()

    def test_announcements_that_are_none(self):
        head = b"+FULLRESYNC " + ID + b" 100\r\n"
        for announcement in (b"$-1\r\n", b"$abc\r\n", b"$" + b"9" * 30 + b"\r\n", b"$\r\n",
                             b"$EOF:short\r\n", b"$99999999999999\r\nREDIS", b"$0\r\n", b"*3\r\n"):
            with self.subTest(announcement[:40]):
                bad = self.follow_bad(head + announcement)
                eventually(lambda: bad.syncs > 0, "it asks")
                self.assert_alive()
        self.assert_follows_a_good_one()

    def test_snapshots_that_are_cut_or_wrong(self):
        rdb = self.rdb
        flipped = bytearray(rdb)
        flipped[len(rdb) // 2] ^= 0x10
        wrong_sum = rdb[:-8] + b"\x01" * 8
        self.assert_follows_a_good_one()
        for name, snapshot, length, is_cut in (
                ("cut at the start", rdb[:5], len(rdb), True),
                ("cut", rdb[:len(rdb) // 2], len(rdb), True),
                ("cut before its checksum", rdb[:-8], len(rdb), True),
                ("shorter than announced", rdb, len(rdb) + 1000, True),
                ("another sum", wrong_sum, None, False), ("a bit", bytes(flipped), None, False),
                ("longer than announced", rdb, len(rdb) - 1000, False),
                ("none", b"x" * 5000, None, False)):
            with self.subTest(name):
                bad = self.follow_bad(self.after_full_resync(snapshot, length=length))
                eventually(lambda: bad.connections > 1, "it gives up and asks again")
                self.assert_alive()
                # What does not come whole changes nothing; half a copy is none.
                sizes = []
                eventually(lambda: sizes.append(self.replica.client.dbsize()) or True, "it answers")
                self.assertEqual(sizes, [201 if is_cut else 0])
        self.assert_follows_a_good_one()

    def test_streams_that_are_none(self):
        before = command(b"SET", b"k0", b"changed")
        for stream in (b"garbage\r\n", b"*1\r\n$999999999999\r\n", b"*-5\r\n", b"*99999999999\r\n",
                       b"*1\r\n$-1\r\n", b"*2\r\n$3\r\nSET\r\n:1\r\n", command(b"NOTHING", b"x"),
                       command(b"SET", b"k"), command(b"LPUSH", b"k1", b"x"),
                       command(b"SELECT", b"99"), command(b"MULTI") + command(b"NOTHING"),
                       b"\x00" * 5000):
            with self.subTest(stream[:40]):
                bad = self.follow_bad(self.after_full_resync(self.rdb, before + stream))
                eventually(lambda: bad.connections > 1, "it gives up and asks again")
                self.assert_alive()
        self.assert_follows_a_good_one()

    def test_a_primary_that_falls_silent_anywhere(self):
        whole = self.after_full_resync(self.rdb)
        for length in (0, 5, 60, len(whole) // 2, len(whole)):
            with self.subTest(length):
                bad = self.follow_bad(whole[:length], closes=False)
                begin = time.monotonic()
                eventually(lambda: bad.connections > 1, "it gives up and asks again")
                self.assertLess(time.monotonic() - begin, 10)
        self.assert_follows_a_good_one()

    # ---- Replicas that are none.

    def ask(self, request, expected):
        with socket.create_connection(("127.0.0.1", self.primary.port), 30) as replica:
            replica.sendall(request)
            got = b""
            while len(got) < len(expected):
                piece = replica.recv(4096)
                if not piece:
                    break
                got += piece.lstrip() if not got else piece
            self.assertTrue(got.startswith(expected), (request, got[:80]))

    def test_offsets_that_cannot_be(self):
        ours = self.primary.replication()["master_replid"].encode()
        for offset in (b"-1", b"0", b"-9223372036854775808", b"9223372036854775807", b"999999999"):
            for name in (b"?", ID, ours, b"", b"x" * 10_000):
                self.ask(command(b"PSYNC", name, offset), b"+FULLRESYNC " + ours)
        for offset in (b"x", b"", b"9" * 30):
            self.ask(command(b"PSYNC", ours, offset), b"-ERR value is not an integer")

    def test_replicas_that_say_something_endless_or_nothing_are_dropped(self):
        self.primary.client.config_set("repl-timeout", 2)
        self.addCleanup(self.primary.client.config_set, "repl-timeout", 60)
        for words in (b"", b"x" * 1_000_000, b"*1\r\n$500000000\r\n" + b"y" * 200_000,
                      command(b"REPLCONF", b"ACK", b"x") * 5,
                      command(b"REPLCONF", b"ACK", b"9" * 18)):
            with self.subTest(words[:30]):
                with socket.create_connection(("127.0.0.1", self.primary.port), 30) as replica:
                    replica.sendall(command(b"PSYNC", b"?", b"-1"))
                    try:
                        replica.sendall(words)
                        while replica.recv(65536):
                            pass
                    except ConnectionError:
                        pass
                eventually(lambda: self.primary.replication()["connected_slaves"] == 0, "dropped")
        self.assertTrue(self.primary.client.ping())


if __name__ == "__main__":
    unittest.main()
