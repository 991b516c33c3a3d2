# SPDX-License-Identifier: Apache-2.0
"""Memcached's own tests, from Debian's source package.

The source is fetched into build/ and nothing of it is kept in the repository. apt gets directories
of its own, so that neither root nor a change of the machine's sources is needed.
"""
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
CACHE = ROOT / "build" / "memcached-upstream"
VERSION = "1.6.18-1"
SOURCE_LINE = ("deb-src [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] "
               "http://deb.debian.org/debian bookworm main\n")
FETCH_SECONDS = 180


class FetchError(Exception):
    """The source package cannot be had: no network, no archive, no tools."""


def apt_environment(folder):
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "sources.list").write_text(SOURCE_LINE)
    (folder / "status").write_text("")  # what is installed must not decide what is fetched
    (folder / "apt.conf").write_text(
        f'Dir::Etc::SourceList "{folder}/sources.list";\n'
        'Dir::Etc::SourceParts "/dev/null";\n'
        f'Dir::State::Lists "{folder}/lists";\n'
        f'Dir::State::status "{folder}/status";\n'
        f'Dir::Cache "{folder}/cache";\n'
        'Acquire::http::Timeout "20";\nAcquire::Retries "1";\n'
        'APT::Sandbox::User "";\n')
    return dict(os.environ, APT_CONFIG=str(folder / "apt.conf"))


def fetch_source():
    """The folder with memcached's source, patched as Debian does; fetched once."""
    source = CACHE / "source"
    if (source / "t" / "lib" / "MemcachedTest.pm").exists():
        return source
    if shutil.which("dpkg-source") is None:
        raise FetchError("dpkg-source is missing (package dpkg-dev)")
    CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=CACHE) as name:
        folder = Path(name)
        environment = apt_environment(folder)
        for command in (["apt-get", "-qq", "update"],
                        ["apt-get", "-qq", "source", "--download-only", f"memcached={VERSION}"],
                        ["dpkg-source", "--no-check", "-x", f"memcached_{VERSION}.dsc", "source"]):
            try:
                done = subprocess.run(command, cwd=folder, env=environment, timeout=FETCH_SECONDS,
                                      stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                      check=False)
            except (OSError, subprocess.TimeoutExpired) as error:
                raise FetchError(f"{command[0]}: {error}") from error
            if done.returncode != 0:
                raise FetchError(f"{' '.join(command)}: {done.stdout.strip()[-300:]}")
        (folder / "source").rename(source)
    return source


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
