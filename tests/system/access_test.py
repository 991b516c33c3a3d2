# SPDX-License-Identifier: Apache-2.0
"""Users, AUTH tokens and TLS of replication groups, as real clients meet them."""

import os
import signal
import socket
import ssl
import subprocess
import threading
import unittest

import redis

from service import Service, until

PASSWORD_1 = "first-password-of-the-user"
PASSWORD_2 = "second-password-of-the-user"
TOKEN_1 = "the-first-token-of-a-group"
TOKEN_2 = "the-second-token-of-a-group"


class Intruder(threading.Thread):
    """Asks every endpoint again and again without a password, and keeps the answers."""

    def __init__(self, endpoints, authority):
        super().__init__()
        self.endpoints = endpoints
        self.context = ssl.create_default_context(cafile=authority)
        self.context.check_hostname = False
        self.stopped = threading.Event()
        self.refusals = 0
        self.answers = set()

    def ask(self, endpoint):
        address = (endpoint["Address"], endpoint["Port"])
        with socket.create_connection(address, 2) as raw:
            with self.context.wrap_socket(raw) as tls:
                tls.sendall(b"GET secret\r\n")
                return tls.recv(100)

    def run(self):
        while not self.stopped.is_set():
            for endpoint in self.endpoints:
                try:
                    answer = self.ask(endpoint)
                except OSError:
                    continue
                if answer.startswith(b"-NOAUTH"):
                    self.refusals += 1
                elif answer:
                    self.answers.add(answer)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.join()


class Access(Service):
    def setUp(self):
        super().setUp()
        # Members of requests that the oldest supported boto3 does not know.
        self.newer = {}
        self.cache.meta.events.register("before-call.elasticache", self.add_newer)

    def add_newer(self, params, **_):
        params["body"].update(self.newer)

    @property
    def authority(self):
        return f"{self.data_dir}/tls/ca.crt"

    def connect(self, endpoint, tls=True, **options):
        if tls:
            options.update(ssl=True, ssl_ca_certs=self.authority, ssl_check_hostname=True)
        link = redis.Redis(host=endpoint["Address"], port=endpoint["Port"], socket_timeout=5,
                           socket_connect_timeout=5, **options)
        self.addCleanup(link.close)
        return link

    def wait_active(self, *users):
        for user in users:
            until(lambda: self.cache.describe_users(UserId=user)["Users"][0]["Status"] == "active",
                  f"user {user} is active")

    def user_group(self, name):
        return self.cache.describe_user_groups(UserGroupId=name)["UserGroups"][0]

    def wait_group(self, name):
        until(lambda: self.user_group(name)["Status"] == "active", f"user group {name} is active")

    def create_users(self):
        """A group in which clients that do not log in may do nothing, and app reads app:*."""
        self.cache.create_user(
            UserId="nobody", UserName="default", Engine="redis", AccessString="off -@all",
            NoPasswordRequired=True)
        self.cache.create_user(
            UserId="app", UserName="app", Engine="redis", AccessString="on ~app:* +@read +@connection",
            Passwords=[PASSWORD_1])
        self.cache.create_user(
            UserId="admin", UserName="admin", Engine="redis", AccessString="on ~* &* +@all",
            Passwords=[PASSWORD_2])
        self.cache.create_user_group(
            UserGroupId="people", Engine="redis", UserIds=["nobody", "app", "admin"])
        self.wait_group("people")
        self.wait_active("app", "admin", "nobody")

    def create(self, name, nodes, mode=None, **more):
        if mode:
            more["TransitEncryptionEnabled"] = True
            self.newer = {"TransitEncryptionMode": mode}
        self.cache.create_replication_group(
            ReplicationGroupId=name, ReplicationGroupDescription="a test",
            CacheNodeType="cache.t3.micro", NumCacheClusters=nodes,
            AutomaticFailoverEnabled=nodes > 1, **more)
        self.newer = {}
        until(lambda: self.status(name) == "available", f"group {name} is available")
        return self.node_group(name)

    def modify(self, name, mode=None, enabled=None, **more):
        self.newer = {"TransitEncryptionMode": mode} if mode else {}
        if enabled is not None:
            self.newer["TransitEncryptionEnabled"] = str(enabled).lower()
        self.cache.modify_replication_group(
            ReplicationGroupId=name, ApplyImmediately=True, **more)
        self.newer = {}
        until(lambda: self.status(name) == "available", f"group {name} is available again")

    def endpoints(self, name):
        group = self.node_group(name)
        return [group["PrimaryEndpoint"], group["ReaderEndpoint"],
                *(member["ReadEndpoint"] for member in group["NodeGroupMembers"])]

    def refuses(self, words, call, *arguments):
        with self.assertRaisesRegex(redis.exceptions.RedisError, words):
            call(*arguments)

    def has_no_plain_port(self, endpoint):
        """Whether a request in the clear gets no answer."""
        with socket.create_connection((endpoint["Address"], endpoint["Port"]), 5) as plain:
            plain.settimeout(5)
            plain.sendall(b"PING\r\n")
            try:
                return b"PONG" not in plain.recv(100)
            except ConnectionResetError:
                return True

    def write_and_see(self, name, link, key, **credentials):
        """Writes by `link`, and waits until every node has it."""
        link.set(key, "v")
        for endpoint in self.endpoints(name):
            reader = self.connect(endpoint, **credentials)
            until(lambda: reader.get(key) == b"v", f"{endpoint} has {key}")

    def test_users_may_do_what_their_rules_say_on_every_node(self):
        self.create_users()
        group = self.create("demo", 3, "required", UserGroupIds=["people"])
        self.assertEqual(self.group("demo")["UserGroupIds"], ["people"])
        self.assertEqual(self.user_group("people")["ReplicationGroups"], ["demo"])
        admin = self.connect(group["PrimaryEndpoint"], username="admin", password=PASSWORD_2)
        self.write_and_see("demo", admin, "app:1", username="admin", password=PASSWORD_2)
        for endpoint in self.endpoints("demo"):
            app = self.connect(endpoint, username="app", password=PASSWORD_1)
            self.assertEqual(app.get("app:1"), b"v")
            self.refuses("no permissions|NOPERM", app.get, "other")
            self.refuses("no permissions|NOPERM", app.set, "app:1", "x")
            self.refuses("Authentication required|NOAUTH", self.connect(endpoint).get, "app:1")
            wrong = self.connect(endpoint, username="app", password="x" * 20)
            self.refuses("WRONGPASS|invalid username", wrong.get, "app:1")
            self.assertTrue(self.has_no_plain_port(endpoint))

    def test_passwords_rotate_while_clients_stay(self):
        self.create_users()
        group = self.create("demo", 2, "required", UserGroupIds=["people"])
        inside = self.connect(group["PrimaryEndpoint"], username="app", password=PASSWORD_1,
                              single_connection_client=True)
        number = inside.client_id()
        self.cache.modify_user(UserId="app", Passwords=["a-new-password-1234", PASSWORD_1])
        self.wait_active("app")
        for password in ("a-new-password-1234", PASSWORD_1):
            for endpoint in self.endpoints("demo"):
                self.connect(endpoint, username="app", password=password).get("app:1")
        self.cache.modify_user(UserId="app", Passwords=["a-new-password-1234"])
        self.wait_active("app")
        for endpoint in self.endpoints("demo"):
            self.refuses("WRONGPASS|invalid username",
                         self.connect(endpoint, username="app", password=PASSWORD_1).get, "app:1")
        self.assertEqual(inside.client_id(), number)
        # Its rights follow at once, too.
        self.cache.modify_user(UserId="app", AccessString="on ~app:* +get")
        self.wait_active("app")
        inside.get("app:1")
        self.refuses("no permissions|NOPERM", inside.client_id)
        with open(f"{self.data_dir}/metadata.sqlite", "rb") as store:
            content = store.read()
        for secret in (PASSWORD_1, PASSWORD_2, "a-new-password-1234"):
            self.assertNotIn(secret.encode(), content)

    def test_a_deleted_user_is_gone_from_the_nodes(self):
        self.create_users()
        group = self.create("demo", 2, "required", UserGroupIds=["people"])
        app = self.connect(group["PrimaryEndpoint"], username="app", password=PASSWORD_1)
        app.get("app:1")
        self.cache.delete_user(UserId="app")
        until(lambda: all(user["UserId"] != "app"
                          for user in self.cache.describe_users()["Users"]), "app is gone")
        self.wait_group("people")
        self.assertEqual(sorted(self.user_group("people")["UserIds"]), ["admin", "nobody"])
        self.refuses(".", app.get, "app:1")

    def test_the_new_primary_and_the_old_node_have_the_same_users(self):
        self.create_users()
        group = self.create("demo", 3, "required", UserGroupIds=["people"])
        admin = self.connect(group["PrimaryEndpoint"], username="admin", password=PASSWORD_2,
                             retry_on_timeout=True)
        self.write_and_see("demo", admin, "before", username="admin", password=PASSWORD_2)
        first = self.primary_of("demo")
        lost = self.pid_of(first)
        os.kill(lost, signal.SIGKILL)
        until(lambda: self.primary_of("demo") != first, "another primary")
        until(lambda: self.status("demo") == "available", "the group is whole again")
        admin = self.connect(group["PrimaryEndpoint"], username="admin", password=PASSWORD_2)
        self.assertEqual(admin.get("before"), b"v")
        self.write_and_see("demo", admin, "after", username="admin", password=PASSWORD_2)
        for endpoint in self.endpoints("demo"):
            app = self.connect(endpoint, username="app", password=PASSWORD_1)
            self.refuses("no permissions|NOPERM", app.set, "app:1", "x")
            self.refuses("Authentication required|NOAUTH", self.connect(endpoint).get, "before")

    def test_a_restarted_service_finds_what_was_changed(self):
        self.create_users()
        group = self.create("demo", 2, "required", UserGroupIds=["people"])
        self.kill()
        for cluster in "demo-001", "demo-002":
            with self.admin(cluster) as node:
                node.execute_command("MIKURA", "USERS", "user default off\nuser app on nopass ~* +@all\n")
        self.connect(group["PrimaryEndpoint"], username="app", password="any").set("x", "y")
        self.start()
        app = self.connect(group["PrimaryEndpoint"], username="app", password=PASSWORD_1)

        def is_as_wanted():
            try:
                app.set("x", "y")
                return False
            except redis.exceptions.NoPermissionError:
                return True
        until(is_as_wanted, "app has its rules again")

    def test_preferred_serves_both_on_one_port(self):
        group = self.create("demo", 2, "preferred")
        self.assertTrue(self.group("demo")["TransitEncryptionEnabled"])
        plain = self.connect(group["PrimaryEndpoint"], tls=False)
        plain.set("k", "v")
        for endpoint in self.endpoints("demo"):
            reader = self.connect(endpoint)
            until(lambda: reader.get("k") == b"v", f"{endpoint} has k")
            self.assertEqual(self.connect(endpoint, tls=False).get("k"), b"v")

    def test_redis_cli_as_the_documentation_has_it(self):
        group = self.create("demo", 1, "required", AuthToken=TOKEN_1)
        endpoint = group["PrimaryEndpoint"]

        def cli(*words, **environment):
            return subprocess.run(
                ["redis-cli", "--tls", "--cacert", self.authority, "-h", endpoint["Address"],
                 "-p", str(endpoint["Port"]), *words],
                env={**os.environ, **environment}, capture_output=True, text=True, timeout=20).stdout
        self.assertIn("NOAUTH", cli("GET", "k"))
        self.assertEqual(cli("SET", "k", "v", REDISCLI_AUTH=TOKEN_1).strip(), "OK")

    def test_no_node_is_open_for_a_moment_whatever_dies(self):
        self.create_users()
        self.create("demo", 2, "required", UserGroupIds=["people"])
        with Intruder(self.endpoints("demo"), self.authority) as intruder:
            for _ in range(3):
                lost = [self.pid_of("demo-001"), self.pid_of("demo-002")]
                self.cache.modify_user(UserId="app", AppendAccessString="+get")
                self.kill()
                for pid in lost:
                    os.kill(pid, signal.SIGKILL)
                self.start()
                self.wait_active("app")
                until(lambda: self.status("demo") == "available" and
                      self.pid_of("demo-001") not in lost, "both run again")
                seen = intruder.refusals
                until(lambda: intruder.refusals > seen + 8, "the intruder is refused again")
        self.assertEqual(intruder.answers, set())

    def test_a_kill_of_the_service_in_the_middle_of_a_change(self):
        self.create_users()
        group = self.create("demo", 2, "required", UserGroupIds=["people"])
        for i in range(4):
            password = f"password-number-{i:04}"
            self.cache.modify_user(UserId="app", Passwords=[password])
            self.kill()
            self.start()
            self.wait_active("app")
            for endpoint in self.endpoints("demo"):
                self.connect(endpoint, username="app", password=password).get("app:1")
        self.refuses("WRONGPASS|invalid", self.connect(
            group["PrimaryEndpoint"], username="app", password=PASSWORD_1).get, "app:1")

    def test_certificates_name_the_endpoints(self):
        self.create("demo", 2, "required")
        context = ssl.create_default_context(cafile=self.authority)
        for endpoint in self.endpoints("demo"):
            address = (endpoint["Address"], endpoint["Port"])
            with socket.create_connection(address, 5) as raw:
                with context.wrap_socket(raw, server_hostname=endpoint["Address"]) as tls:
                    names = [value for kind, value in tls.getpeercert()["subjectAltName"]]
                    self.assertIn(endpoint["Address"], names)
        strangers = ssl.create_default_context()
        with socket.create_connection(address, 5) as raw:
            with self.assertRaises(ssl.SSLCertVerificationError):
                strangers.wrap_socket(raw, server_hostname=endpoint["Address"])

    def test_a_token_is_needed_and_replicas_have_it(self):
        group = self.create("demo", 3, "required", AuthToken=TOKEN_1)
        self.assertTrue(self.group("demo")["AuthTokenEnabled"])
        self.assertTrue(self.cluster("demo-002")["AuthTokenEnabled"])
        link = self.connect(group["PrimaryEndpoint"], password=TOKEN_1)
        self.write_and_see("demo", link, "k", password=TOKEN_1)
        for endpoint in self.endpoints("demo"):
            self.refuses("Authentication required|NOAUTH", self.connect(endpoint).get, "k")
            self.refuses("WRONGPASS|invalid", self.connect(endpoint, password=TOKEN_2).get, "k")

    def test_a_token_is_rotated_and_then_set(self):
        group = self.create("demo", 2, "required", AuthToken=TOKEN_1)
        since = self.group("demo")["AuthTokenLastModifiedDate"]
        inside = self.connect(group["PrimaryEndpoint"], password=TOKEN_1,
                              single_connection_client=True)
        number = inside.client_id()
        self.modify("demo", AuthToken=TOKEN_2, AuthTokenUpdateStrategy="ROTATE")
        for endpoint in self.endpoints("demo"):
            for token in (TOKEN_1, TOKEN_2):
                self.assertTrue(self.connect(endpoint, password=token).ping())
        self.modify("demo", AuthToken=TOKEN_2, AuthTokenUpdateStrategy="SET")
        for endpoint in self.endpoints("demo"):
            self.assertTrue(self.connect(endpoint, password=TOKEN_2).ping())
            self.refuses("WRONGPASS|invalid", self.connect(endpoint, password=TOKEN_1).ping)
        self.assertEqual(inside.client_id(), number)
        self.assertGreater(self.group("demo")["AuthTokenLastModifiedDate"], since)
        link = self.connect(group["PrimaryEndpoint"], password=TOKEN_2)
        self.write_and_see("demo", link, "k", password=TOKEN_2)

    def test_a_running_group_goes_to_tls_and_a_token_step_by_step(self):
        group = self.create("demo", 2)
        plain = self.connect(group["PrimaryEndpoint"], tls=False)
        plain.set("k", "v")
        with self.assertRaisesRegex(self.cache.exceptions.ClientError, "preferred first"):
            self.modify("demo", "required", enabled=True)
        self.modify("demo", "preferred", enabled=True)
        self.assertEqual(plain.get("k"), b"v")
        self.assertEqual(self.connect(group["PrimaryEndpoint"]).get("k"), b"v")
        self.modify("demo", AuthToken=TOKEN_1, AuthTokenUpdateStrategy="ROTATE")
        self.assertEqual(self.connect(group["PrimaryEndpoint"]).get("k"), b"v")
        self.modify("demo", "required")
        for endpoint in self.endpoints("demo"):
            self.assertTrue(self.has_no_plain_port(endpoint))
        self.modify("demo", AuthToken=TOKEN_1, AuthTokenUpdateStrategy="SET")
        self.refuses("NOAUTH|Authentication", self.connect(group["PrimaryEndpoint"]).get, "k")
        link = self.connect(group["PrimaryEndpoint"], password=TOKEN_1)
        self.assertEqual(link.get("k"), b"v")
        self.write_and_see("demo", link, "k2", password=TOKEN_1)

    def test_a_token_gives_way_to_users_and_users_to_nobody(self):
        self.create_users()
        group = self.create("demo", 2, "required", AuthToken=TOKEN_1)
        self.modify("demo", AuthTokenUpdateStrategy="DELETE", UserGroupIdsToAdd=["people"])
        self.assertEqual(self.group("demo")["UserGroupIds"], ["people"])
        self.assertFalse(self.group("demo")["AuthTokenEnabled"])
        admin = self.connect(group["PrimaryEndpoint"], username="admin", password=PASSWORD_2)
        self.write_and_see("demo", admin, "k", username="admin", password=PASSWORD_2)
        self.refuses("WRONGPASS|invalid",
                     self.connect(group["PrimaryEndpoint"], password=TOKEN_1).get, "k")
        with self.assertRaises(self.cache.exceptions.InvalidUserGroupStateFault):
            self.cache.delete_user_group(UserGroupId="people")
        self.modify("demo", RemoveUserGroups=True)
        self.assertEqual(self.connect(group["PrimaryEndpoint"]).get("k"), b"v")
        self.cache.delete_user_group(UserGroupId="people")

    def test_users_of_a_group_change_on_running_nodes(self):
        self.create_users()
        group = self.create("demo", 2, "required", UserGroupIds=["people"])
        self.cache.create_user(
            UserId="late", UserName="late", Engine="redis", AccessString="on ~* +@all",
            Passwords=["the-late-password"])
        self.cache.modify_user_group(UserGroupId="people", UserIdsToAdd=["late"],
                                     UserIdsToRemove=["app"])
        self.wait_group("people")
        for endpoint in self.endpoints("demo"):
            self.assertTrue(self.connect(endpoint, username="late",
                                         password="the-late-password").ping())
            self.refuses("WRONGPASS|invalid",
                         self.connect(endpoint, username="app", password=PASSWORD_1).ping)

    def test_a_replica_that_joins_has_the_users_from_its_start(self):
        self.create_users()
        group = self.create("demo", 2, "required", UserGroupIds=["people"])
        self.cache.increase_replica_count(ReplicationGroupId="demo", NewReplicaCount=2,
                                          ApplyImmediately=True)
        until(lambda: self.status("demo") == "available" and
              len(self.node_group("demo")["NodeGroupMembers"]) == 3, "three nodes")
        admin = self.connect(group["PrimaryEndpoint"], username="admin", password=PASSWORD_2)
        self.write_and_see("demo", admin, "k", username="admin", password=PASSWORD_2)
        for endpoint in self.endpoints("demo"):
            self.refuses("NOAUTH|Authentication", self.connect(endpoint).get, "k")
            self.assertTrue(self.has_no_plain_port(endpoint))

    def test_planned_changes_of_the_nodes_keep_the_users(self):
        self.create_users()
        group = self.create("demo", 2, "required", UserGroupIds=["people"])
        admin = self.connect(group["PrimaryEndpoint"], username="admin", password=PASSWORD_2)
        self.write_and_see("demo", admin, "k1", username="admin", password=PASSWORD_2)
        changes = {"PrimaryClusterId": "demo-002", "CacheNodeType": "cache.t3.small"}
        for name, value in changes.items():
            self.modify("demo", **{name: value})
            admin = self.connect(group["PrimaryEndpoint"], username="admin", password=PASSWORD_2)
            self.assertEqual(admin.get("k1"), b"v")
            self.write_and_see("demo", admin, name, username="admin", password=PASSWORD_2)
            for endpoint in self.endpoints("demo"):
                self.refuses("NOAUTH|Authentication", self.connect(endpoint).get, "k1")
                app = self.connect(endpoint, username="app", password=PASSWORD_1)
                self.refuses("no permissions|NOPERM", app.set, "app:1", "x")

    def test_what_is_not_done_is_refused(self):
        def code(**more):
            try:
                self.cache.create_replication_group(
                    ReplicationGroupId="no", ReplicationGroupDescription="x",
                    CacheNodeType="cache.t3.micro", NumCacheClusters=1, **more)
            except self.cache.exceptions.ClientError as error:
                return error.response["Error"]["Code"]
            return "accepted"
        self.assertEqual(code(AtRestEncryptionEnabled=True), "InvalidParameterValue")
        self.assertEqual(code(AuthToken=TOKEN_1), "InvalidParameterCombination")
        self.assertEqual(code(UserGroupIds=["people"]), "InvalidParameterCombination")
        self.assertEqual(code(TransitEncryptionEnabled=True, UserGroupIds=["people"]),
                         "UserGroupNotFound")
        self.assertEqual(code(TransitEncryptionEnabled=True, AuthToken="short"),
                         "InvalidParameterValue")
        with self.assertRaisesRegex(self.cache.exceptions.ClientError, "nosuchcommand"):
            self.cache.create_user(UserId="x", UserName="x", Engine="redis",
                                   AccessString="on +nosuchcommand", NoPasswordRequired=True)


if __name__ == "__main__":
    unittest.main()
