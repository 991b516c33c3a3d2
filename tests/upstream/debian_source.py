# SPDX-License-Identifier: Apache-2.0
"""Source packages of Debian, for running the tests of the programs that we compare with.

A source is fetched into build/ and nothing of it is kept in the repository. apt gets directories of
its own, so that neither root nor a change of the machine's sources is needed.
"""
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

FETCH_SECONDS = 180
SOURCE_LISTS = Path("/etc/apt")


class FetchError(Exception):
    """The source package cannot be had: no network, no archive, no tools."""


def write_source_lists(folder):
    """The machine's own archives, asked for sources instead of binaries."""
    parts = folder / "sources.list.d"
    parts.mkdir(parents=True, exist_ok=True)
    lists = [SOURCE_LISTS / "sources.list", *(SOURCE_LISTS / "sources.list.d").glob("*")]
    for path in lists:
        if not path.is_file() or path.suffix not in (".list", ".sources"):
            continue
        text = path.read_text(errors="replace")
        if path.suffix == ".sources":
            text = re.sub(r"(?m)^Types:.*$", "Types: deb-src", text)
        else:
            text = re.sub(r"(?m)^\s*deb\s", "deb-src ", text)
        (parts / path.name).write_text(text)


def apt_environment(folder):
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    write_source_lists(folder)
    (folder / "status").write_text("")  # what is installed must not decide what is fetched
    (folder / "apt.conf").write_text(
        'Dir::Etc::SourceList "/dev/null";\n'
        f'Dir::Etc::SourceParts "{folder}/sources.list.d";\n'
        f'Dir::State::Lists "{folder}/lists";\n'
        f'Dir::State::status "{folder}/status";\n'
        f'Dir::Cache "{folder}/cache";\n'
        'Acquire::http::Timeout "20";\nAcquire::Retries "1";\n'
        'APT::Sandbox::User "";\n')
    return dict(os.environ, APT_CONFIG=str(folder / "apt.conf"))


def run(command, folder, environment):
    try:
        done = subprocess.run(command, cwd=folder, env=environment, timeout=FETCH_SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"{command[0]}: {error}") from error
    if done.returncode != 0:
        raise FetchError(f"{' '.join(map(str, command))}: {done.stdout.strip()[-300:]}")


def fetch_source(package, cache, marker, version=None):
    """cache/source, with the package's source, patched as Debian does; fetched once.

    marker: a path inside that tells that it is complete. version: of the package; the newest that
    the machine's archives have when there is none.
    """
    source = cache / "source"
    if (source / marker).exists():
        return source
    if shutil.which("dpkg-source") is None:
        raise FetchError("dpkg-source is missing (package dpkg-dev)")
    cache.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=cache) as name:
        folder = Path(name)
        environment = apt_environment(folder)
        wanted = f"{package}={version}" if version else package
        run(["apt-get", "-qq", "update"], folder, environment)
        run(["apt-get", "-qq", "source", "--download-only", wanted], folder, environment)
        descriptions = list(folder.glob("*.dsc"))
        if len(descriptions) != 1:
            raise FetchError(f"{package}: {len(descriptions)} source descriptions were fetched")
        run(["dpkg-source", "--no-check", "-x", descriptions[0].name, "source"], folder,
            environment)
        (folder / "source").rename(source)
    return source
