# SPDX-License-Identifier: Apache-2.0
"""Requests of the Query protocol as bytes: what no SDK would send, signed as an SDK signs.

The answer is read by botocore's parser with the shape of the operation, so a form that an SDK would
stumble over is found here.
"""

import http.client
import time
import xml.etree.ElementTree as xml
from dataclasses import dataclass
from urllib.parse import quote_from_bytes

import botocore.loaders
import botocore.model
import botocore.parsers
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

NAMESPACE = "{http://elasticache.amazonaws.com/doc/2015-02-02/}"
VERSION = "2015-02-02"


def load_model(name="elasticache"):
    return botocore.model.ServiceModel(
        botocore.loaders.Loader().load_service_model(name, "service-2"), name)


def encode(fields):
    """A form of (name, value) pairs; both may be bytes."""
    def quoted(text):
        return quote_from_bytes(text if isinstance(text, bytes) else str(text).encode(), safe="")
    return "&".join(f"{quoted(name)}={quoted(value)}" for name, value in fields).encode()


@dataclass
class Answer:
    status: int
    code: str  # of the error; empty when it succeeded
    message: str
    seconds: float
    body: bytes
    flaw: str  # what is wrong with the form of the answer


class Sender:
    def __init__(self, port, region, model, seconds_max):
        self.host = f"127.0.0.1:{port}"
        self.region = region
        self.model = model
        self.seconds_max = seconds_max
        self.parser = botocore.parsers.create_parser("query")
        self.link = None

    def send(self, operation, body):
        """The answer to a body; the operation is what a right answer has the form of."""
        request = AWSRequest("POST", f"http://{self.host}/", data=body, headers={
            "Content-Type": "application/x-www-form-urlencoded; charset=utf-8"})
        SigV4Auth(Credentials("test", "test"), "elasticache", self.region).add_auth(request)
        if self.link is None:
            self.link = http.client.HTTPConnection(self.host, timeout=self.seconds_max)
        begin = time.monotonic()
        try:
            self.link.request("POST", "/", body, dict(request.headers.items()))
            response = self.link.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            raise
        seconds = time.monotonic() - begin
        if response.will_close:
            self.close()
        return self.read(operation, response, data, seconds)

    def close(self):
        if self.link is not None:
            self.link.close()
            self.link = None

    def read(self, operation, response, data, seconds):
        answer = Answer(response.status, "", "", seconds, data, "")
        try:
            root = xml.fromstring(data)
        except xml.ParseError as error:
            answer.flaw = f"no XML: {error}"
            return answer
        if response.status == 200:
            self.read_result(operation, response, root, answer)
            return answer
        error = root.find(f"{NAMESPACE}Error")
        if root.tag != f"{NAMESPACE}ErrorResponse" or error is None:
            answer.flaw = f"not an ErrorResponse: {root.tag}"
            return answer
        answer.code = error.findtext(f"{NAMESPACE}Code", "")
        answer.message = error.findtext(f"{NAMESPACE}Message", "")
        for each in ("Type", "Code", "Message"):
            if not error.findtext(NAMESPACE + each):
                answer.flaw = f"an error without {each}"
        if not root.findtext(f"{NAMESPACE}RequestId"):
            answer.flaw = "an error without RequestId"
        return answer

    def read_result(self, operation, response, root, answer):
        if root.tag != f"{NAMESPACE}{operation}Response":
            answer.flaw = f"answered with {root.tag}"
            return
        try:
            self.parser.parse({"status_code": 200, "headers": dict(response.getheaders()),
                               "body": answer.body},
                              self.model.operation_model(operation).output_shape)
        except (botocore.parsers.ResponseParserError, ValueError, KeyError) as error:
            answer.flaw = f"botocore cannot read it: {error}"
