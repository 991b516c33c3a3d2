# SPDX-License-Identifier: Apache-2.0
"""Passwords of memcached clients: SASL, password files, and requirepass.

Run: MIKURA_BIN=build/release/mikura python3 -m unittest discover -s tests/memcached -p '*_test.py'
"""
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

import binary
import servers
from binary import SASL_AUTH, SASL_LIST, SASL_STEP, plain, request, sasl, store

try:
    from pymemcache.client.base import Client as PymemcacheClient
except ImportError:
    PymemcacheClient = None

MIKURA = [servers.MIKURA, "memcached"]
SASLPASSWD = shutil.which("saslpasswd2", path=os.environ.get("PATH", "") + ":/usr/sbin")
RIGHT, WRONG = plain(b"ann", b"secret"), plain(b"ann", b"guess")


def file_of(test, text):
    descriptor, path = tempfile.mkstemp(prefix="memcached-passwords-")
    test.addCleanup(os.remove, path)
    os.write(descriptor, text)
    os.close(descriptor)
    return path


def start_mikura_sasl(test, text=b"ann:secret\nbob:other:more\n"):
    path = file_of(test, text)
    server = servers.start_memcached("-S", program=MIKURA,
                                     environment={"MEMCACHED_SASL_PWDB": path})
    test.addCleanup(server.stop)
    return server, path


def start_memcached_sasl(test):
    """Debian's memcached asks Cyrus SASL, here with a database of one user."""
    directory = tempfile.mkdtemp(prefix="memcached-sasl-")
    test.addCleanup(shutil.rmtree, directory)
    for name in ("memcached", "saslpasswd"):
        with open(os.path.join(directory, name + ".conf"), "w", encoding="ascii") as file:
            file.write(f"mech_list: plain\nsasldb_path: {directory}/users\n")
    subprocess.run([SASLPASSWD, "-p", "-c", "-f", f"{directory}/users", "-u",
                    socket.gethostname(), "ann"], input=b"secret", check=True)
    server = servers.start_memcached("-S", environment={"SASL_CONF_PATH": directory})
    test.addCleanup(server.stop)
    return server


def login(user_and_password):
    return b"set any 0 0 %d\r\n%s\r\n" % (len(user_and_password), user_and_password)


def exchange(server, data, seconds=servers.REPLY_SECONDS):
    """Everything that is answered to `data` until the server closes, or shuts up after our end."""
    with socket.create_connection(("127.0.0.1", server.port)) as client:
        client.settimeout(seconds)
        received = b""
        try:
            client.sendall(data)
            client.shutdown(socket.SHUT_WR)
            while piece := client.recv(1 << 16):
                received += piece
        except OSError as error:
            if isinstance(error, TimeoutError):
                raise
        return received


SASL_SAMPLES = [
    request(SASL_LIST), request(SASL_LIST, b"k"), request(binary.VERSION), request(binary.NOOP),
    request(binary.GET, b"k"), request(binary.GETQ, b"k"), store(binary.SET, b"k", b"v"),
    request(binary.QUIT), request(binary.QUITQ), request(binary.STAT), request(binary.FLUSH),
    request(0x60), request(binary.GET, key_length=9, body_length=5),
    request(binary.GET, b"k" * 251), WRONG, WRONG + WRONG + RIGHT + request(binary.GET, b"none"), RIGHT,
    RIGHT + WRONG, sasl(b""), sasl(b"") + sasl(b"\0ann\0secret", SASL_STEP),
    sasl(b"") + sasl(b"\0ann\0guess", SASL_STEP), sasl(b"\0ann\0secret", SASL_STEP),
    sasl(b"\0ann\0secret", mechanism=b""), sasl(b"\0ann\0secret", mechanism=b"plain"),
    sasl(b"\0ann\0secret", mechanism=b"CRAM-MD5"), sasl(b"x", mechanism=b"M" * 32),
    sasl(b"x", mechanism=b"M" * 33), sasl(b"x", mechanism=b"M" * 251),
    request(SASL_AUTH, b"PLAIN", b"1234", b"\0ann\0secret"), sasl(b"ann"), sasl(b"\0ann"),
    sasl(b"\0ann\0secret\0"), sasl(b"\0\0secret"), sasl(b"\0ann\0"), sasl(b"ann\0ann\0secret"),
    sasl(b"bob\0ann\0secret"), sasl(b"\0ann\0" + b"x" * 50_000), sasl(b"\0ann\0" + b"x" * 700_000),
    request(SASL_AUTH, b"x" * 20, key_length=20, body_length=1),
]


@unittest.skipUnless(servers.MIKURA, "needs MIKURA_BIN")
class SaslTest(unittest.TestCase):
    @unittest.skipUnless(servers.MEMCACHED and SASLPASSWD, "needs memcached and sasl2-bin")
    def test_answers_are_those_of_memcached(self):
        pair = [start_memcached_sasl(self), start_mikura_sasl(self)[0]]
        for data in SASL_SAMPLES:
            with self.subTest(request=data[:60]):
                answers = []
                for server in pair:
                    client = binary.Client(server)
                    self.addCleanup(client.close)
                    replies, state = client.ask(data)
                    answers.append(([reply.bytes for reply in replies], state))
                self.assertEqual(answers[0], answers[1])

    def test_text_is_not_served(self):
        server, _ = start_mikura_sasl(self)
        self.assertEqual(exchange(server, b"version\r\n" * 5), b"")

    def test_a_client_without_password_makes_the_server_hold_little(self):
        server, _ = start_mikura_sasl(self)
        # Answered and ended from its header: nothing of the value is waited for.
        head = request(binary.SET, b"k", b"\0" * 8, body_length=900_000)
        with socket.create_connection(("127.0.0.1", server.port)) as client:
            client.settimeout(servers.REPLY_SECONDS)
            client.sendall(head)
            replies, rest = binary.read(client.recv(1000))
            self.assertEqual(([reply.status for reply in replies], rest), ([0x20], b""))
            try:
                self.assertEqual(client.recv(1), b"")
            except ConnectionResetError:
                pass

    def test_unread_replies_of_a_client_without_password_stay_few(self):
        server, _ = start_mikura_sasl(self)
        self.assertEqual(self.status(server, RIGHT), 0)
        before = servers.resident_bytes(server.process.pid)
        count = 40
        for _ in range(count):
            client = socket.create_connection(("127.0.0.1", server.port))
            self.addCleanup(client.close)
            client.settimeout(0.1)
            # It is not read from any more, and then closed.
            with self.assertRaises((TimeoutError, ConnectionError)):
                for _ in range(100):
                    client.sendall(request(binary.VERSION) * 10_000)
        grown = servers.resident_bytes(server.process.pid) - before
        self.assertLess(grown, count * (400 << 10))

    def test_the_file_is_read_again_on_sighup(self):
        server, path = start_mikura_sasl(self)
        self.assertEqual(self.status(server, RIGHT), 0)
        with open(path, "wb") as file:
            file.write(b"ann:new\n")
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + servers.REPLY_SECONDS
        while self.status(server, plain(b"ann", b"new")) != 0:
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertEqual(self.status(server, RIGHT), 0x20)

    def test_a_damaged_file_changes_nothing(self):
        server, path = start_mikura_sasl(self)
        self.assertEqual(self.status(server, RIGHT), 0)
        with open(path, "wb") as file:
            file.write(b"no colon\n")
        server.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + servers.REPLY_SECONDS
        while b"the passwords stay as they were" not in server.log_text():
            self.assertLess(time.monotonic(), deadline)
            time.sleep(0.02)
        self.assertEqual(self.status(server, RIGHT), 0)

    @staticmethod
    def status(server, data):
        return binary.read(exchange(server, data))[0][0].status

    @unittest.skipUnless(shutil.which("memccp"), "needs libmemcached-tools")
    def test_libmemcached_copies_a_file_with_a_password(self):
        server, _ = start_mikura_sasl(self)
        with tempfile.TemporaryDirectory() as directory:
            with open(os.path.join(directory, "sample"), "wb") as file:
                file.write(b"content of a file")

            def run(tool, password):
                return subprocess.run(
                    [tool, f"--servers=127.0.0.1:{server.port}", "--binary", "--username=ann",
                     f"--password={password}", "sample"], cwd=directory, capture_output=True,
                    timeout=60, check=False)

            self.assertEqual(run("memccp", "secret").returncode, 0)
            self.assertEqual(run("memccat", "secret").stdout.strip(), b"content of a file")
            self.assertNotEqual(run("memccat", "guess").returncode, 0)
            self.assertEqual(run("memcrm", "secret").returncode, 0)
            self.assertNotEqual(run("memcexist", "secret").returncode, 0)

    def test_it_does_not_start_without_its_passwords(self):
        for environment, flags in (({"MEMCACHED_SASL_PWDB": ""}, ["-S"]),
                                   ({"MEMCACHED_SASL_PWDB": "/nonexistent"}, ["-S"]),
                                   ({}, ["-Y", "/nonexistent"])):
            done = subprocess.run([*MIKURA, "-l", "127.0.0.1", "-p", str(servers.free_port()),
                                   *flags], env={**os.environ, **environment}, capture_output=True,
                                  timeout=30, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertRegex(done.stderr, b"MEMCACHED_SASL_PWDB|cannot read the passwords")


# One request each: memcached 1.6.18 answers only the last of a pipeline before authentication.
LOGIN_SAMPLES = [
    b"get a\r\n", b"version\r\n", b"quit\r\n", b"mn\r\n", b"\r\n", b"x\r\n", b"set x 0 0\r\n",
    b"SET x 0 0\r\n", b"set x 0 0 abc\r\n", b"set x 0 0 -1\r\n", b"set x 0 0 10x\r\n",
    login(b"ann secret"), login(b"ann guess"), login(b"bob b:c"), login(b"crlf line"), login(b"last end"),
    login(b"ann"), login(b""), login(b"ann secret more"), login(b"  ann  secret "),
    login(b"ann\tsecret"), login(b"ann secret\0x"), login(b"nobody x"), login(b"ann secre"),
    b"set x 0 0 10 noreply\r\nann secret\r\n", b"  set x a b 10\r\nann secret\r\n",
    b"set x 0 0 10" + b" a" * 40 + b"\r\nann secret\r\n", b"set x 0 0 10\nann secret\r\n",
    b"set " + b"k" * 300 + b" 0 0 10\r\nann secret\r\n", b"set x 0 0 10\r\nann secretxx",
    login(b"ann secret") + login(b"ann secret") + b"get any\r\nversion\r\n",
    b"\x80" + b"\0" * 22 + b"\n", b"x" * 2047 + b"\n", b"x" * 2049,
]


@unittest.skipUnless(servers.MIKURA, "needs MIKURA_BIN")
class PasswordFileTest(unittest.TestCase):
    TEXT = b"ann:secret\nbob:b:c\ncrlf:line\r\nu4:p\nlast:end"

    @unittest.skipUnless(servers.MEMCACHED, "needs memcached")
    def test_answers_are_those_of_memcached(self):
        path = file_of(self, self.TEXT)
        pair = []
        for program in (servers.MEMCACHED, MIKURA):
            pair.append(servers.start_memcached("-Y", path, program=program))
            self.addCleanup(pair[-1].stop)
        for data in LOGIN_SAMPLES:
            with self.subTest(request=data[:60]):
                self.assertEqual(exchange(pair[0], data), exchange(pair[1], data))

    @unittest.skipUnless(servers.MEMCACHED, "needs memcached")
    def test_both_take_the_first_eight_users(self):
        path = file_of(self, b"".join(b"u%d:p\n" % i for i in range(1, 11)))
        for program in (servers.MEMCACHED, MIKURA):
            server = servers.start_memcached("-Y", path, program=program)
            self.addCleanup(server.stop)
            answers = [exchange(server, login(b"u%d p" % i)) for i in range(1, 11)]
            self.assertEqual(answers, [b"STORED\r\n"] * 8 +
                             [b"CLIENT_ERROR authentication failure\r\n"] * 2)

    def test_every_request_before_the_password_is_answered(self):
        server = servers.start_memcached("-Y", file_of(self, self.TEXT), program=MIKURA)
        self.addCleanup(server.stop)
        self.assertEqual(exchange(server, b"get a\r\n" + login(b"ann guess") + login(b"ann secret") +
                                  b"get a\r\n"),
                         b"CLIENT_ERROR unauthenticated\r\nCLIENT_ERROR authentication failure\r\n"
                         b"STORED\r\nEND\r\n")

    def test_a_length_that_crashes_memcached_ends_the_connection(self):
        server = servers.start_memcached("-Y", file_of(self, self.TEXT), program=MIKURA)
        self.addCleanup(server.stop)
        for size in (4_000_000_000, 0xffffffff, 0x7fffffff, 16_385):
            self.assertEqual(exchange(server, b"set x 0 0 %d\r\nann secret\r\n" % size), b"")
        self.assertEqual(exchange(server, login(b"ann secret")), b"STORED\r\n")

    @unittest.skipUnless(PymemcacheClient, "needs python3-pymemcache")
    def test_pymemcache_authenticates_by_its_first_set(self):
        server = servers.start_memcached("-Y", file_of(self, self.TEXT), program=MIKURA)
        self.addCleanup(server.stop)
        client = PymemcacheClient(("127.0.0.1", server.port), timeout=servers.REPLY_SECONDS)
        self.addCleanup(client.close)
        self.assertTrue(client.set("any", b"ann secret", noreply=False))
        self.assertTrue(client.set("k", b"v", noreply=False))
        self.assertEqual(client.get("k"), b"v")
        self.assertIsNone(client.get("any"))


@unittest.skipUnless(servers.MIKURA, "needs MIKURA_BIN")
class RequirePassTest(unittest.TestCase):
    def test_one_password_guards_both_ports(self):
        server = servers.start_mikura("--requirepass", "secret")
        self.addCleanup(server.stop)
        self.assertEqual(exchange(server, b"get a\r\n"), b"CLIENT_ERROR unauthenticated\r\n")
        self.assertEqual(exchange(server, login(b"default guess")),
                         b"CLIENT_ERROR authentication failure\r\n")
        self.assertEqual(exchange(server, login(b"default secret") + b"get a\r\n"),
                         b"STORED\r\nEND\r\n")
        for data, statuses in ((request(binary.GET, b"a"), [0x20]),
                               (plain(b"default", b"guess"), [0x20]),
                               (plain(b"default", b"secret") + request(binary.GET, b"a"), [0, 1])):
            replies, _ = binary.read(exchange(server, data))
            self.assertEqual([reply.status for reply in replies], statuses)

    def test_a_password_set_later_concerns_clients_that_connect_then(self):
        server = servers.start_mikura()
        self.addCleanup(server.stop)
        early = servers.Client(server)
        self.addCleanup(early.close)
        self.assertEqual(early.ask(b"get a\r\n"), (b"END\r\n", "open"))
        with socket.create_connection(("127.0.0.1", server.resp_port)) as redis:
            redis.sendall(b"CONFIG SET requirepass secret\r\n")
            self.assertEqual(redis.recv(100), b"+OK\r\n")
        self.assertEqual(early.ask(b"get a\r\n"), (b"END\r\n", "open"))
        self.assertEqual(exchange(server, b"get a\r\n"), b"CLIENT_ERROR unauthenticated\r\n")


if __name__ == "__main__":
    unittest.main()
