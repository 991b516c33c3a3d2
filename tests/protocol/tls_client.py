# SPDX-License-Identifier: Apache-2.0
"""Connections in TLS: a RESP client, and one whose socket and handshake a test has in its hands."""
import socket
import ssl

from resp_client import Client


def client_context(certificates, name="client", version=None):
    """Verifies by ca.pem and shows `name` (None: nothing)."""
    context = ssl.create_default_context(cafile=certificates.path("ca.pem"))
    context.check_hostname = False
    if name is not None:
        context.load_cert_chain(certificates.path(f"{name}.pem"), certificates.path(f"{name}.key"))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


class TlsClient(Client):
    """resp_client.Client in TLS."""

    def __init__(self, host, port, context, session=None, seconds_max=30):
        super().__init__(host, port, seconds_max=seconds_max)
        self.input.close()
        self.socket = context.wrap_socket(self.socket, session=session)
        self.input = self.socket.makefile("rb")

    def peer_name(self):
        certificate = self.socket.getpeercert()
        return dict(pair[0] for pair in certificate["subject"])["commonName"]


class LooseTls:
    """A TLS client whose bytes go over a plain socket by hand."""

    def __init__(self, host, port, context):
        self.socket = socket.create_connection((host, port), timeout=30)
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing)

    def hello(self):
        """The first message of the handshake."""
        try:
            self.tls.do_handshake()
        except ssl.SSLWantReadError:
            pass
        return self.outgoing.read()

    def pump(self, call, *arguments):
        """Repeats an operation, with whatever has to be sent and received for it."""
        while True:
            try:
                result = call(*arguments)
            except ssl.SSLWantReadError:
                result = None
            if data := self.outgoing.read():
                self.socket.sendall(data)
            if result is not None:
                return result
            data = self.socket.recv(1 << 16)
            if data:
                self.incoming.write(data)
            else:
                self.incoming.write_eof()

    def shake_hands(self):
        self.pump(lambda: self.tls.do_handshake() or True)

    def close(self):
        self.socket.close()
