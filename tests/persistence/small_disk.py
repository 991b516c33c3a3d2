# SPDX-License-Identifier: Apache-2.0
"""Disks of a test's own: small ones, in memory."""
import os
import shutil
import subprocess
import tempfile


def mount(place, size):
    """size: as mount takes it, in bytes or with a unit."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "none", place], check=True,
                   stderr=subprocess.DEVNULL)


def can_mount():
    """Whether this process may mount a disk of its own."""
    if os.geteuid() != 0 or not all(map(shutil.which, ("mount", "umount"))):
        return False
    with tempfile.TemporaryDirectory() as place:
        try:
            mount(place, "64k")
        except subprocess.CalledProcessError:
            return False
        subprocess.run(["umount", place], check=False)
        return True
