# SPDX-License-Identifier: Apache-2.0
"""The service itself is killed; its caches go on, and its successor takes them over."""

import os
import signal
import subprocess
import unittest

from service import Service, binary, client, until


class Restart(Service):
    def test_caches_serve_while_the_service_is_gone_and_are_taken_over(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        client(endpoint).set("kept", "yes")
        pids = [self.pid_of("demo-001"), self.pid_of("demo-002")]
        self.kill()
        self.assertEqual(client(endpoint).get("kept"), b"yes")
        self.start()
        until(lambda: self.status("demo") == "available", "the group is available")
        self.assertEqual([self.pid_of("demo-001"), self.pid_of("demo-002")], pids)
        self.assertEqual(client(endpoint).get("kept"), b"yes")

    def test_a_successor_still_fails_over(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        self.write_everywhere("demo", "kept", "yes")
        self.kill()
        self.start()
        until(lambda: self.status("demo") == "available", "the group is available")
        os.kill(self.pid_of("demo-001"), signal.SIGKILL)
        until(lambda: self.primary_of("demo") == "demo-002", "the replica leads")
        self.assertEqual(client(endpoint).get("kept"), b"yes")

    def test_a_primary_lost_while_the_service_was_gone_is_replaced(self):
        endpoint = self.create_group("demo", 2)["PrimaryEndpoint"]
        self.write_everywhere("demo", "kept", "yes")
        pid = self.pid_of("demo-001")
        self.kill()
        os.kill(pid, signal.SIGKILL)
        self.start()
        until(lambda: self.primary_of("demo") == "demo-002", "the replica leads")
        until(lambda: self.status("demo") == "available", "the group is whole again")
        self.assertEqual(client(endpoint).get("kept"), b"yes")

    def test_a_kill_in_the_middle_of_a_creation_loses_nothing(self):
        self.cache.create_replication_group(
            ReplicationGroupId="demo", ReplicationGroupDescription="a test",
            CacheNodeType="cache.t3.micro", NumCacheClusters=3)
        self.kill()
        self.start()
        until(lambda: self.status("demo") == "available", "the group is available")

    def test_a_second_service_in_the_same_directory_is_refused(self):
        second = subprocess.run([binary(), "up", "--port", "0", "--data-dir", self.data_dir],
                                capture_output=True, text=True, timeout=10)
        self.assertEqual(second.returncode, 1)
        self.assertIn(f"in use by process {self.process.pid}", second.stderr)


if __name__ == "__main__":
    unittest.main()
