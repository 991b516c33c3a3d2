# SPDX-License-Identifier: Apache-2.0
"""Authorities and certificates for one test run, made by the openssl tool in a folder that goes
with the run. No key is ever kept."""
import os
import subprocess
import tempfile


class Certificates:
    """ca signs server, server2, client and expired; other signs stranger. `path("server.pem")`.
    locked.key is server.key with the password "open sesame"."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="certificates-")
        for authority in ("ca", "other"):
            self.openssl("req", "-x509", *self.new_key(authority), "-days", "2", "-subj",
                         f"/CN={authority}", "-out", self.path(f"{authority}.pem"))
        for name, authority, days in (("server", "ca", 2), ("server2", "ca", 2),
                                      ("client", "ca", 2), ("expired", "ca", -1),
                                      ("stranger", "other", 2)):
            request = self.path(f"{name}.csr")
            self.openssl("req", *self.new_key(name), "-subj", f"/CN={name}", "-out", request)
            self.openssl("x509", "-req", "-in", request, "-CA", self.path(f"{authority}.pem"),
                         "-CAkey", self.path(f"{authority}.key"), "-CAcreateserial", "-days",
                         str(days), "-out", self.path(f"{name}.pem"))
        self.openssl("pkey", "-in", self.path("server.key"), "-aes256", "-passout",
                     "pass:open sesame", "-out", self.path("locked.key"))

    def new_key(self, name):
        return ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout",
                self.path(f"{name}.key"))

    @staticmethod
    def openssl(*arguments):
        subprocess.run(["openssl", *arguments], check=True, stdin=subprocess.DEVNULL,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def path(self, name):
        return os.path.join(self.folder.name, name)

    def close(self):
        self.folder.cleanup()
