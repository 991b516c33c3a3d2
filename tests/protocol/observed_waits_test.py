#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Commands that wait are counted at once and logged when they are served; INFO's rates."""
import sys
import time
import unittest

from resp_client import encode
from side_by_side import SideBySide

FIELDS = """redis_version redis_git_sha1 redis_git_dirty redis_mode os arch_bits monotonic_clock
    multiplexing_api gcc_version process_id process_supervised run_id tcp_port server_time_usec
    uptime_in_seconds uptime_in_days hz configured_hz lru_clock executable config_file
    io_threads_active connected_clients cluster_connections maxclients blocked_clients
    tracking_clients total_connections_received total_commands_processed instantaneous_ops_per_sec
    total_net_input_bytes total_net_output_bytes instantaneous_input_kbps instantaneous_output_kbps
    rejected_connections sync_full sync_partial_ok sync_partial_err expired_keys
    expire_cycle_cpu_milliseconds evicted_keys evicted_clients keyspace_hits keyspace_misses
    pubsub_channels pubsub_patterns slave_expires_tracked_keys tracking_total_keys
    unexpected_error_replies total_error_replies used_cpu_sys used_cpu_user used_cpu_sys_children
    used_cpu_user_children""".split()


class ObservedWaitsTest(SideBySide):
    OPTIONS = ("--threads", "1")

    def info(self, client, *sections):
        text = client.call("INFO", *sections).text
        return dict(line.split(":", 1) for line in text.split("\\r\\n") if ":" in line)

    def eventually(self, condition, what):
        deadline = time.monotonic() + 10
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.005)

    def waiting(self, server, admin, *words):
        client = self.client(server)
        client.send(encode([str(word).encode() for word in words]))
        self.eventually(lambda: self.info(admin, "clients")["blocked_clients"] == "1", "it waits")
        return client

    def logged(self, admin):
        return [" ".join(child.text for child in entry.children[3].children)
                for entry in admin.call("SLOWLOG", "GET", "-1").children]

    def begin(self, server):
        admin = self.client(server)
        admin.call("FLUSHALL")
        admin.call("CONFIG", "SET", "slowlog-log-slower-than", "0")
        admin.call("CONFIG", "RESETSTAT")
        admin.call("SLOWLOG", "RESET")
        return admin

    def assert_calls(self, admin, command, calls, failed):
        counts = self.info(admin, "commandstats")[f"cmdstat_{command}"]
        self.assertRegex(counts, f"^calls={calls},.*,rejected_calls=0,failed_calls={failed}$")

    def test_one_that_is_served(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                admin = self.begin(server)
                client = self.waiting(server, admin, "BLPOP", "l", 0)
                self.assert_calls(admin, "blpop", 1, 0)
                self.assertNotIn("$BLPOP $l $0", self.logged(admin))
                admin.call("RPUSH", "l", "x")
                self.assertEqual(client.read().children[1].text, "$x")
                self.assertEqual(self.logged(admin).count("$BLPOP $l $0"), 1)
                self.assert_calls(admin, "blpop", 1, 0)

    def test_one_whose_time_is_up(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                admin = self.begin(server)
                client = self.waiting(server, admin, "BLMOVE", "l", "m", "LEFT", "LEFT", "0.2")
                self.assertEqual(client.read().text, "(null array)")
                self.assertEqual(self.logged(admin).count("$BLMOVE $l $m $LEFT $LEFT $0.2"), 0)
                self.assert_calls(admin, "blmove", 1, 0)

    def test_one_that_ends_with_an_error(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                admin = self.begin(server)
                client = self.client(server)
                number = client.call("CLIENT", "ID").text[1:]
                client.send(encode([b"BLPOP", b"l", b"0"]))
                self.eventually(lambda: self.info(admin, "clients")["blocked_clients"] == "1",
                                "it waits")
                admin.call("CLIENT", "UNBLOCK", number, "ERROR")
                self.assertEqual(client.read().text,
                                 "-UNBLOCKED client unblocked via CLIENT UNBLOCK")
                self.assert_calls(admin, "blpop", 1, 1)

    def test_one_whose_client_goes(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                admin = self.begin(server)
                self.waiting(server, admin, "BLPOP", "l", 0).close()
                self.eventually(lambda: self.info(admin, "clients")["blocked_clients"] == "0",
                                "it is gone")
                self.assert_calls(admin, "blpop", 1, 0)
                self.assertNotIn("$BLPOP $l $0", self.logged(admin))

    def test_fields_of_info(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                fields = self.info(self.client(server), "everything")
                self.assertEqual([name for name in FIELDS if name not in fields], [])
                self.assertTrue(fields["executable"].startswith("/"), fields["executable"])

    def test_rates_rise_and_fall(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                client = self.client(server)
                end = time.monotonic() + 1
                while time.monotonic() < end:
                    client.call("SET", "k", "v" * 1000)
                rates = self.info(client, "stats")
                self.assertGreater(int(rates["instantaneous_ops_per_sec"]), 20)
                self.assertGreater(float(rates["instantaneous_input_kbps"]), 20)
                self.assertGreater(float(rates["instantaneous_output_kbps"]), 0)
                time.sleep(3)
                self.assertLess(int(self.info(client, "stats")["instantaneous_ops_per_sec"]), 20)

    def test_what_is_too_much_goes_before_a_read(self):
        for server in self.nodes:
            with self.subTest(server.kind):
                admin = self.client(server)
                admin.call("FLUSHALL")
                used = int(self.info(admin, "memory")["used_memory"])
                uncounted = int(self.info(admin, "memory")["mem_not_counted_for_evict"])
                admin.call("CONFIG", "SET", "maxmemory-policy", "volatile-random")
                admin.call("CONFIG", "SET", "maxmemory", used - uncounted + 100 * 1024)
                admin.call("SETEX", "volatile", "10000", "x")
                self.assertEqual(admin.call("SETBIT", "big", "16000000", "0").text, ":0")
                self.assertEqual(admin.call("GETBIT", "big", "0").text, ":0")
                self.assertEqual(admin.call("EXISTS", "volatile").text, ":0")
                admin.call("CONFIG", "SET", "maxmemory", "0", "maxmemory-policy", "noeviction")


if __name__ == "__main__":
    sys.exit(unittest.main())
