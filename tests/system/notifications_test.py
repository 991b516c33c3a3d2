#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Events of caches with a topic come to a server that speaks SNS: each, in order, over its outages and
kills of the service."""

import http.server
import json
import threading
import unittest
import urllib.parse

import service

TOPIC = f"arn:aws:sns:{service.REGION}:000000000000:events"


class Recorder:
    """An SNS server that notes what is published."""

    def __init__(self, port):
        self.port = port
        self.published = []  # (topic, message, event)
        self.server = None

    def start(self):
        recorder = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"])).decode()
                form = dict(urllib.parse.parse_qsl(body))
                assert form["Action"] == "Publish" and "AWS4-HMAC-SHA256" in self.headers["Authorization"]
                recorder.published.append((form["TopicArn"], json.loads(form["Message"]),
                                           form["MessageAttributes.entry.1.Value.StringValue"]))
                answer = b"<PublishResponse><PublishResult><MessageId>1</MessageId></PublishResult></PublishResponse>"
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", self.port), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()

    def messages(self):
        return [message for _, message, _ in self.published]

    def events(self):
        return [event for _, _, event in self.published]


class Notifications(service.Service):
    def setUp(self):
        self.recorder = Recorder(service.free_port())
        self.recorder.start()
        self.addCleanup(lambda: self.recorder.stop())
        super().setUp()

    def options(self):
        return ("--sns-endpoint", f"http://127.0.0.1:{self.recorder.port}")

    def create(self, name, **more):
        self.cache.create_cache_cluster(
            CacheClusterId=name, Engine="memcached", CacheNodeType="cache.t3.micro", NumCacheNodes=1,
            Port=service.CACHE_PORT, **more)
        self.until_available(name)

    def until_available(self, name):
        service.until(lambda: self.cluster(name)["CacheClusterStatus"] == "available", f"{name} is available")

    def reboot(self, name):
        self.cache.reboot_cache_cluster(CacheClusterId=name, CacheNodeIdsToReboot=["0001"])
        self.until_available(name)

    def until_told(self, count):
        service.until(lambda: len(self.recorder.published) >= count, f"{count} events are published")

    def test_a_group_tells_of_itself_and_its_members(self):
        self.cache.create_replication_group(
            ReplicationGroupId="demo", ReplicationGroupDescription="x", CacheNodeType="cache.t3.micro",
            NumCacheClusters=2, Port=service.CACHE_PORT, NotificationTopicArn=TOPIC)
        service.until(lambda: self.status("demo") == "available", "the group is available")
        self.until_told(3)
        self.assertEqual(self.recorder.messages(), [
            {"ElastiCache:CacheClusterProvisioningComplete": "demo-001"},
            {"ElastiCache:CacheClusterProvisioningComplete": "demo-002"},
            {"ElastiCache:CreateReplicationGroupComplete": "demo"}])
        self.assertEqual({topic for topic, _, _ in self.recorder.published}, {TOPIC})
        self.assertEqual(self.cluster("demo-002")["NotificationConfiguration"],
                         {"TopicArn": TOPIC, "TopicStatus": "active"})
        self.cache.create_snapshot(ReplicationGroupId="demo", SnapshotName="s1")
        self.until_told(4)
        self.assertEqual(list(self.recorder.messages()[-1]), ["ElastiCache:SnapshotComplete"])
        self.cache.modify_replication_group(ReplicationGroupId="demo", NotificationTopicStatus="inactive")
        self.cache.delete_replication_group(ReplicationGroupId="demo")
        service.until(lambda: not self.cache.describe_replication_groups()["ReplicationGroups"], "it is gone")
        self.create("last", NotificationTopicArn=TOPIC)
        self.until_told(5)
        self.assertEqual(self.recorder.events()[4:], ["Cache cluster created"])  # nothing of the group

    def test_an_outage_delays_events_and_stops_nothing(self):
        self.create("mc", NotificationTopicArn=TOPIC)
        self.until_told(1)
        self.recorder.stop()
        self.reboot("mc")
        self.reboot("mc")
        self.kill()
        self.start()
        self.recorder.start()
        self.until_told(5)
        self.assertEqual(self.recorder.events(), ["Cache cluster created"] + [
            "Cache node 0001 shutdown", "Cache node 0001 restarted"] * 2)

    def test_only_a_service_with_an_endpoint_takes_topics(self):
        self.kill()
        self.options = lambda: ()
        self.start()
        with self.assertRaises(self.cache.exceptions.InvalidParameterValueException) as refused:
            self.create("mc", NotificationTopicArn=TOPIC)
        self.assertIn("--sns-endpoint", str(refused.exception))


if __name__ == "__main__":
    unittest.main()
