# SPDX-License-Identifier: Apache-2.0
"""Several clients of one server, and what each of them receives after every command: to compare
servers in what they send without being asked.

A scenario is text with one step per line, "name: COMMAND words"; several requests with " | " between
them are sent in one piece. "name: close" ends a connection. "@other" in a word stands for the
client id of another connection. Words are as in *.test files.
"""
import re

from resp_client import Client, Closed, encode
from test_files import split_words


class Transcript:
    def __init__(self, server):
        self.server, self.clients, self.ids, self.syncs = server, {}, {}, 0
        self.addresses = {}

    def client(self, name):
        if name not in self.clients:
            client = self.clients[name] = Client(self.server.host, self.server.port)
            self.ids[name] = client.call("CLIENT", "ID").text[1:]
            self.addresses["%s:%d" % client.socket.getsockname()] = name
        return self.clients[name]

    def close(self):
        for client in self.clients.values():
            client.close()
        self.clients.clear()

    def fill_in(self, text):
        return re.sub(r"@(\w+)", lambda match: (self.client(match[1]), self.ids[match[1]])[1], text)

    def received(self, name):
        """All that has come to the client, up to the answer of a PING."""
        client = self.clients[name]
        self.syncs += 1
        mark = f"sync-{self.syncs}"
        client.send(encode([b"PING", mark.encode()]))
        nodes = []
        while True:
            try:
                node = client.read()
            except Closed:
                del self.clients[name]
                client.close()
                return nodes + ["(close)"]
            lines = list(node.lines())
            if lines[-1] == "$" + mark and len(lines) in (1, 3):
                return nodes
            nodes.append(" ".join(lines))

    def step(self, line):
        name, _, text = line.partition(": ")
        client = self.client(name)
        if text == "close":
            client.close()
            del self.clients[name]
        else:
            requests = [split_words(self.fill_in(part)) for part in text.split(" | ")]
            client.send(b"".join(encode(words) for words in requests))
        # The sender first: what it did has been done then. All of them twice: what one is told may
        # be passed on to another.
        names = [name] * (name in self.clients) + [other for other in self.clients if other != name]
        got = {each: [] for each in names}
        for each in names + names:
            if each in self.clients:
                got[each] += self.received(each)
        return [line] + [f"{each} got {node}" for each in names for node in got[each]]

    def run(self, scenario):
        """The steps with what they led to. Ids and addresses are replaced by the names of their
        connections, times by T."""
        steps = [self.step(line.strip()) for line in scenario.splitlines() if line.strip()]
        names = {number: name for name, number in self.ids.items()}

        def normal(step, line):
            line = re.sub(r"127\.0\.0\.1:\d+",
                          lambda match: "@" + self.addresses.get(match[0], "stranger"), line)
            line = re.sub(r"\b\d{10}\.\d{6}\b", "T", line)
            if not re.search(r"redir|\$id", step[0].lower() + line):
                return line
            return re.sub(r":(\d+)\b", lambda match: ":" + (
                "@" + names[match[1]] if match[1] in names else match[1]), line)

        return [[normal(step, line) for line in step] for step in steps]


def differences(servers, scenario):
    """Pairs of steps in which the two servers differ."""
    results = []
    for server in servers:
        transcript = Transcript(server)
        try:
            results.append(transcript.run(scenario))
        finally:
            transcript.close()
    return [pair for pair in zip(*results) if pair[0] != pair[1]]
