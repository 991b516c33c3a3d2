#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""TLS as clients see it: the same on our engine and on redis-server."""
import os
import shutil
import socket
import ssl
import subprocess
import unittest

from certificates import Certificates
from resp_client import Client, Closed, encode
from servers import Server, free_port
from tls_client import LooseTls, TlsClient, client_context

KINDS = ("mikura", "redis")
MEGABYTE = 1 << 20


def setUpModule():
    global FILES
    FILES = Certificates()
    unittest.addModuleCleanup(FILES.close)


class TlsServer(Server):
    def __init__(self, kind, *options):
        self.tls_port = free_port()
        super().__init__(kind, "--tls-port", str(self.tls_port),
                         "--tls-cert-file", FILES.path("server.pem"),
                         "--tls-key-file", FILES.path("server.key"),
                         "--tls-ca-cert-file", FILES.path("ca.pem"), *options)

    def connect(self, name="client", version=None, context=None, session=None):
        context = context or client_context(FILES, name, version)
        return TlsClient(self.host, self.tls_port, context, session)

    def plain(self):
        return Client(self.host, self.port)


class TlsCase(unittest.TestCase):
    def start(self, kind, *options):
        server = TlsServer(kind, *options)
        self.addCleanup(server.stop)
        self.control = server.plain()
        self.addCleanup(self.control.close)
        return server

    def servers(self, *options):
        for kind in KINDS:
            with self.subTest(kind):
                yield self.start(kind, *options)

    def set(self, *words):
        return self.control.call("CONFIG", "SET", *words).text

    def served(self, server, *arguments, **named):
        """Whether a client with this certificate gets an answer."""
        try:
            client = server.connect(*arguments, **named)
        except (ssl.SSLError, ConnectionError):
            return False
        try:
            return client.call("PING").text == "+PONG"
        except (Closed, ssl.SSLError, ConnectionError):
            return False
        finally:
            client.close()


class Requests(TlsCase):
    def test_commands_and_pipelines(self):
        for server in self.servers():
            client = server.connect()
            self.assertEqual(client.call("SET", "k", "v").text, "+OK")
            self.assertEqual(client.call("HELLO", 3).text, "%7")
            client.send(b"".join(encode([b"INCR", b"n"]) for _ in range(20_000)))
            for i in range(20_000):
                self.assertEqual(client.read().text, f":{i + 1}")
            self.assertEqual(self.control.call("GET", "n").text, "$20000")
            client.close()

    def test_values_of_50_megabytes_both_ways(self):
        value = os.urandom(50 * MEGABYTE)
        for server in self.servers():
            client = server.connect()
            client.send(encode([b"SET", b"big", value]))
            self.assertEqual(client.read().text, "+OK")
            # A value and short replies around it, read late.
            client.send(encode([b"PING"]) + encode([b"GET", b"big"]) * 2 + encode([b"PING"]))
            bulk = b"$%d\r\n%s\r\n" % (len(value), value)
            expected = b"+PONG\r\n" + bulk * 2 + b"+PONG\r\n"
            self.assertTrue(client.input.read(len(expected)) == expected)
            client.close()

    def test_replies_of_all_sizes_to_a_reader_that_is_slow(self):
        for server in self.servers():
            client = server.connect()
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 << 10)
            sizes = (0, 1, 100, 16_383, 16_384, 16_385, 40_000, 300_000)
            values = {b"k%d" % size: os.urandom(size) for size in sizes}
            for key, value in values.items():
                client.call("SET", key, value)
            keys = [key for key in values for _ in range(7)]
            keys.sort(key=hash)
            client.send(b"".join(encode([b"MGET", key, b"absent", b"k100"]) for key in keys))
            for key in keys:
                parts = [b"$%d\r\n%s\r\n" % (len(values[name]), values[name])
                         for name in (key, b"k100")]
                expected = b"*3\r\n" + parts[0] + b"$-1\r\n" + parts[1]
                self.assertTrue(client.input.read(len(expected)) == expected)
            client.close()

    def test_messages_and_waits(self):
        for server in self.servers():
            client, other = server.connect(), server.connect()
            other.call("SUBSCRIBE", "c")
            client.call("PUBLISH", "c", "m")
            self.assertEqual(list(other.read().lines()), ["*3", "$message", "$c", "$m"])
            other.close()
            waiting = server.connect()
            waiting.send(encode([b"BLPOP", b"list", b"20"]))
            client.call("RPUSH", "list", "x")
            self.assertEqual(list(waiting.read().lines()), ["*2", "$list", "$x"])
            waiting.close()
            client.close()

    def test_info_and_client_list(self):
        for server in self.servers():
            client = server.connect()
            self.assertIn(f"tcp_port:{server.port}", client.call("INFO", "server").text)
            line = client.call("CLIENT", "LIST", "TYPE", "normal").text
            self.assertIn(f"laddr=127.0.0.1:{server.tls_port} ", line)
            client.close()

    def test_without_a_plain_port(self):
        for kind in KINDS:
            with self.subTest(kind):
                server = TlsServer.__new__(TlsServer)
                server.wait_until_ready = lambda: None
                server.__init__(kind, "--port", "0")
                self.addCleanup(server.stop)
                for _ in range(200):
                    try:
                        client = server.connect()
                        break
                    except ConnectionError:
                        self.assertIsNone(server.process.poll(), server.log())
                        subprocess.run(["sleep", "0.05"], check=True)
                self.assertIn(f"tcp_port:{server.tls_port}", client.call("INFO", "server").text)
                client.close()

    @unittest.skipUnless(shutil.which("redis-cli"), "needs redis-cli")
    def test_redis_cli(self):
        for server in self.servers():
            options = ["redis-cli", "-p", str(server.tls_port), "--tls", "--cacert",
                       FILES.path("ca.pem"), "--cert", FILES.path("client.pem"), "--key",
                       FILES.path("client.key")]
            output = subprocess.run([*options, "ECHO", "hello"], capture_output=True, check=True)
            self.assertEqual(output.stdout, b"hello\n")
            requests = b"".join(encode([b"SET", b"p%d" % i, b"v"]) for i in range(10_000))
            output = subprocess.run([*options, "--pipe"], input=requests, capture_output=True,
                                    check=True)
            self.assertIn(b"errors: 0, replies: 10000", output.stdout)


class Peers(TlsCase):
    def test_clients_that_must_may_or_need_not_show_a_certificate(self):
        expected = {"yes": (True, False, False, False), "optional": (True, True, False, False),
                    "no": (True, True, True, True)}
        for server in self.servers():
            for mode, served in expected.items():
                self.assertEqual(self.set("tls-auth-clients", mode), "+OK")
                names = ("client", None, "stranger", "expired")
                self.assertEqual(tuple(self.served(server, name) for name in names), served, mode)

    def test_a_session_without_certificate_is_not_resumed_where_one_is_required(self):
        server = self.start("mikura", "--tls-auth-clients", "no")
        for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
            self.set("tls-auth-clients", "no")
            context = client_context(FILES, None, version)
            client = server.connect(context=context)
            client.call("PING")
            session = client.socket.session
            client.close()
            self.assertTrue(self.served(server, context=context, session=session))
            self.set("tls-auth-clients", "yes")
            self.assertFalse(self.served(server, context=context, session=session))

    def test_sessions_are_resumed(self):
        for server in self.servers():
            for caching, resumed in (("yes", True), ("no", False)):
                self.set("tls-session-caching", caching)
                context = client_context(FILES, "client", ssl.TLSVersion.TLSv1_2)
                context.options |= ssl.OP_NO_TICKET
                first = server.connect(context=context)
                first.call("PING")
                second = server.connect(context=context, session=first.socket.session)
                self.assertEqual(second.socket.session_reused, resumed)
                self.assertEqual(second.call("PING").text, "+PONG")
                first.close()
                second.close()

    def test_clients_refuse_a_server_of_another_authority(self):
        for server in self.servers("--tls-auth-clients", "no"):
            context = ssl.create_default_context(cafile=FILES.path("other.pem"))
            context.check_hostname = False
            self.assertFalse(self.served(server, context=context))
            self.assertTrue(self.served(server))

    def test_protocols(self):
        old, new = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3
        for server in self.servers():
            for protocols, served in (("", (True, True)), ("TLSv1.2", (True, False)),
                                      ("tlsv1.3", (False, True)),
                                      ("TLSv1.2 TLSv1.3", (True, True))):
                self.assertEqual(self.set("tls-protocols", protocols), "+OK")
                self.assertEqual((self.served(server, version=old),
                                  self.served(server, version=new)), served, protocols)
            self.assertEqual(self.set("tls-protocols", "SSLv9"),
                             "-ERR CONFIG SET failed (possibly related to argument "
                             "'tls-protocols') - Unable to update TLS configuration. Check server "
                             "logs.")
            self.assertTrue(self.served(server, version=new))

    def test_ciphers(self):
        for server in self.servers():
            self.assertEqual(self.set("tls-protocols", "TLSv1.2", "tls-ciphers",
                                      "ECDHE-ECDSA-AES128-SHA256"), "+OK")
            client = server.connect()
            self.assertEqual(client.socket.cipher()[0], "ECDHE-ECDSA-AES128-SHA256")
            client.close()
            self.assertEqual(self.set("tls-protocols", "TLSv1.3", "tls-ciphersuites",
                                      "TLS_CHACHA20_POLY1305_SHA256"), "+OK")
            client = server.connect()
            self.assertEqual(client.socket.cipher()[0], "TLS_CHACHA20_POLY1305_SHA256")
            client.close()
            for bad in (("tls-ciphers", "no such"), ("tls-ciphersuites", "no such")):
                self.assertIn("Unable to update TLS configuration", self.set(*bad))

    def test_the_server_chooses_the_cipher(self):
        first, second = "ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"
        for server in self.servers():
            self.set("tls-protocols", "TLSv1.2", "tls-ciphers", f"{first}:{second}")
            for prefers, chosen in (("no", second), ("yes", first)):
                self.set("tls-prefer-server-ciphers", prefers)
                context = client_context(FILES)
                context.set_ciphers(f"{second}:{first}")
                client = server.connect(context=context)
                self.assertEqual(client.socket.cipher()[0], chosen)
                client.close()

    def test_a_key_with_a_password(self):
        options = ("--tls-key-file", FILES.path("locked.key"))
        for server in self.servers(*options, "--tls-key-file-pass", "open sesame"):
            self.assertTrue(self.served(server))
            self.assertIn("Unable to update", self.set("tls-key-file-pass", "wrong"))
            self.assertTrue(self.served(server))


class Reload(TlsCase):
    def test_certificates_change_without_restart(self):
        for server in self.servers():
            old = server.connect()
            self.assertEqual(old.peer_name(), "server")
            self.assertEqual(self.set("tls-cert-file", FILES.path("server2.pem"), "tls-key-file",
                                      FILES.path("server2.key")), "+OK")
            new = server.connect()
            self.assertEqual(new.peer_name(), "server2")
            old.send(encode([b"SET", b"k", os.urandom(MEGABYTE)]))
            self.assertEqual(old.read().text, "+OK")
            self.assertEqual(new.call("STRLEN", "k").text, f":{MEGABYTE}")
            old.close()
            new.close()

    def test_the_same_name_with_another_content(self):
        for server in self.servers():
            cert, key = FILES.path("moving.pem"), FILES.path("moving.key")
            for name in ("server", "server2"):
                shutil.copy(FILES.path(f"{name}.pem"), cert)
                shutil.copy(FILES.path(f"{name}.key"), key)
                self.assertEqual(self.set("tls-cert-file", cert, "tls-key-file", key), "+OK")
                client = server.connect()
                self.assertEqual(client.peer_name(), name)
                client.close()

    def test_a_bad_file_leaves_the_old_one_in_force(self):
        empty = FILES.path("empty.pem")
        open(empty, "wb").close()
        for server in self.servers():
            for name, file in (("tls-cert-file", "/nowhere"), ("tls-cert-file", empty),
                               ("tls-cert-file", FILES.path("server2.pem")),
                               ("tls-key-file", FILES.path("server2.key")),
                               ("tls-ca-cert-file", empty), ("tls-ca-cert-file", "")):
                before = self.control.call("CONFIG", "GET", name).lines()
                self.assertEqual(self.set(name, file),
                                 f"-ERR CONFIG SET failed (possibly related to argument '{name}') "
                                 "- Unable to update TLS configuration. Check server logs.")
                self.assertEqual(list(self.control.call("CONFIG", "GET", name).lines()),
                                 list(before))
                self.assertTrue(self.served(server))

    def test_other_authorities(self):
        for server in self.servers():
            self.assertEqual(self.set("tls-ca-cert-file", FILES.path("other.pem")), "+OK")
            self.assertEqual((self.served(server, "client"), self.served(server, "stranger")),
                             (False, True))

    def test_a_folder_of_authorities(self):
        for server in self.servers():
            folder = FILES.path("authorities")
            os.makedirs(folder, exist_ok=True)
            shutil.copy(FILES.path("other.pem"), folder)
            subprocess.run(["openssl", "rehash", folder], check=True)
            self.assertEqual(self.set("tls-ca-cert-file", "", "tls-ca-cert-dir", folder), "+OK")
            self.assertEqual((self.served(server, "client"), self.served(server, "stranger")),
                             (False, True))

    def test_values_as_shown(self):
        shown = {}
        for server in self.servers():
            reply = self.control.call("CONFIG", "GET", "tls-*").children
            shown[server.kind] = {
                reply[i].text: reply[i + 1].text for i in range(0, len(reply), 2)
                if reply[i].text not in ("$tls-port",)}
        self.assertEqual(shown["mikura"], shown["redis"])


class Ends(TlsCase):
    def test_plain_text_is_answered_by_closing(self):
        for server in self.servers():
            for data in (encode([b"PING"]), b"PING\r\n", b"GET / HTTP/1.1\r\n\r\n", b"\0" * 100):
                client = socket.create_connection((server.host, server.tls_port), timeout=10)
                client.sendall(data)
                try:
                    self.assertNotIn(b"PONG", client.recv(100))
                except ConnectionResetError:
                    pass
                client.close()
            self.assertTrue(self.served(server))

    def test_the_server_says_goodbye(self):
        for server in self.servers():
            client = LooseTls(server.host, server.tls_port, client_context(FILES))
            client.shake_hands()
            client.pump(client.tls.write, encode([b"QUIT"]))
            self.assertEqual(client.pump(client.tls.read, 100), b"+OK\r\n")
            # b"" is the end that was announced; any other raises SSLEOFError.
            self.assertEqual(client.pump(client.tls.read, 100), b"")
            client.close()

    def test_a_client_that_shuts_down_its_side_gets_its_replies(self):
        server = self.start("mikura")
        value = os.urandom(20_000)
        self.control.call("SET", "k", value)
        for says_goodbye in (False, True):
            client = LooseTls(server.host, server.tls_port, client_context(FILES))
            client.shake_hands()
            client.pump(client.tls.write, encode([b"GET", b"k"]) * 500)
            if says_goodbye:
                try:
                    client.tls.unwrap()
                except ssl.SSLWantReadError:
                    client.socket.sendall(client.outgoing.read())
            client.socket.shutdown(socket.SHUT_WR)
            received = 0
            expected = 500 * len(b"$20000\r\n%s\r\n" % value)
            while received < expected:
                data = client.socket.recv(1 << 16)
                if not data:
                    break
                received += len(data)
            self.assertGreaterEqual(received, expected)
            client.close()

    def test_a_client_that_reads_nothing_is_closed_at_its_limit(self):
        for server in self.servers("--client-output-buffer-limit", "normal 2mb 0 0"):
            self.control.call("SET", "k", os.urandom(100_000))
            client = server.connect()
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            with self.assertRaises((Closed, ssl.SSLError, ConnectionError, OSError)):
                for _ in range(10_000):
                    client.send(encode([b"GET", b"k"]))
            client.close()
            self.assertTrue(self.served(server))

    def test_idle_clients_and_kills(self):
        for server in self.servers():
            client = server.connect()
            identity = client.call("CLIENT", "ID").text[1:]
            self.assertEqual(self.control.call("CLIENT", "KILL", "ID", identity).text, ":1")
            with self.assertRaises(Closed):
                client.read()
            client.close()


if __name__ == "__main__":
    unittest.main()
