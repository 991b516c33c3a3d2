# SPDX-License-Identifier: Apache-2.0
"""The service under test: that of MIKURA_ENDPOINT, or one started for the script."""
import os
import pathlib
import signal
import socket
import subprocess
import tempfile
import time
import unittest
import urllib.request

import boto3
import botocore.config

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = pathlib.Path(os.environ.get("MIKURA_BINARY", ROOT / "build/release/mikura"))
REGION = "ap-northeast-1"
START_SECONDS_MAX = 20


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_up(endpoint):
    try:
        with urllib.request.urlopen(endpoint + "/health", timeout=2) as answer:
            return answer.status == 200
    except OSError:
        return False


class Service:
    """endpoint: "http://127.0.0.1:4566". stop() ends what was started, by its process."""

    def __init__(self):
        self.process = None
        self.endpoint = os.environ.get("MIKURA_ENDPOINT")
        if not self.endpoint:
            self.start()

    def start(self):
        if not BINARY.exists():
            raise FileNotFoundError(f"{BINARY} is missing: ./dev build, or set MIKURA_ENDPOINT")
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self.folder = tempfile.TemporaryDirectory(prefix="mikura-aws-api-")
        command = [BINARY, "up", "--port", str(port), "--data-dir", self.folder.name]
        self.log = open(pathlib.Path(self.folder.name) / "test.log", "wb")
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        deadline = time.monotonic() + START_SECONDS_MAX
        while not is_up(self.endpoint):
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError("the service did not come up")
            time.sleep(0.05)  # polls a condition, within a deadline

    def stop(self):
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()
        self.folder.cleanup()
        self.process = None

    def client(self, name, key="test", secret="test", region=REGION):
        config = botocore.config.Config(retries={"max_attempts": 0}, connect_timeout=5, read_timeout=20)
        return boto3.client(name, endpoint_url=self.endpoint, region_name=region, config=config,
                            aws_access_key_id=key, aws_secret_access_key=secret)


class ServiceTestCase(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.service = Service()
        cls.addClassCleanup(cls.service.stop)

    def assert_error(self, code, status, call, **parameters):
        """The call fails with this code and HTTP status. Returns the words."""
        with self.assertRaises(call.__self__.exceptions.ClientError) as caught:
            call(**parameters)
        response = caught.exception.response
        self.assertEqual((code, status), (response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]))
        return response["Error"]["Message"]
