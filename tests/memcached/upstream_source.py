# SPDX-License-Identifier: Apache-2.0
"""Memcached's own tests, from Debian's source package."""
import shutil
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "upstream"))
from debian_source import FetchError, fetch_source as fetch_package  # noqa: E402

CACHE = ROOT / "build" / "memcached-upstream"
VERSION = "1.6.18-1"

__all__ = ["FetchError", "fetch_source", "prepare"]


def fetch_source():
    """The folder with memcached's source, patched as Debian does; fetched once."""
    return fetch_package("memcached", CACHE, "t/lib/MemcachedTest.pm", VERSION)


# MemcachedTest.pm always passes this option; only builds that drop privileges know it, and Debian's
# is none.
WITHOUT_PRIVILEGE_OPTION = """left=$#
while [ $left -gt 0 ]; do
  if [ "$1 $2" = "-o relaxed_privileges" ]; then shift; left=$((left - 1))
  else set -- "$@" "$1"; fi
  shift; left=$((left - 1))
done
"""


def prepare(name, command, source):
    """A folder as memcached's tests expect it, in which `command` is memcached."""
    folder = CACHE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    (folder / "t").symlink_to(source / "t")
    # timedrun limits the time of one server; here the whole file has a limit.
    for script, text in (("timedrun", 'shift\nexec "$@"'),
                         ("memcached-debug", f'{WITHOUT_PRIVILEGE_OPTION}exec {command} "$@"')):
        path = folder / script
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
    return folder
