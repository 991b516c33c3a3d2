# SPDX-License-Identifier: Apache-2.0
"""The test programs, as frameworks.tsv lists them, and how one of them runs."""
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import node_packages

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build" / "frameworks"
INTERPRETERS = {".py": "/usr/bin/python3", ".rb": "ruby", ".php": "php", ".pl": "perl"}
SECONDS_MAX = 120


@dataclass
class Program:
    file: str  # relative to this folder
    frameworks: str  # "npm: NAME ..." or "Debian: NAME VERSION, ..."
    what: str


def all_programs():
    lines = (HERE / "frameworks.tsv").read_text(encoding="utf-8").splitlines()
    return [Program(*line.split("\t")) for line in lines if line and not line.startswith("#")]


def command_of(program):
    path = HERE / program.file
    if path.suffix == ".mjs":
        return ["node", "--test-reporter=tap", str(node_packages.FOLDER / path.name)]
    if path.suffix == ".c":
        binary = BUILD / path.stem
        build = ["cc", "-O1", "-Wall", "-Wextra", "-Werror", "-o", str(binary), str(path), "-lhiredis"]
        return ["sh", "-c", '"$@" && exec "$0"', str(binary), *build]
    return [INTERPRETERS[path.suffix], str(path)]


def count(output):
    """(passed, failed) of TAP's lines, or of unittest's summary."""
    ran = re.search(r"^Ran (\d+) tests? in", output, re.MULTILINE)
    if ran:
        failed = sum(int(number) for number in re.findall(
            r"\b(?:failures|errors|unexpected successes)=(\d+)", output[ran.start():]))
        return max(0, int(ran.group(1)) - failed), failed
    return (len(re.findall(r"^ok \d+", output, re.MULTILINE)),
            len(re.findall(r"^not ok \d+", output, re.MULTILINE)))


def run(program, redis_port, memcached_port):
    """(passed, failed, output). One that does not end, or ends badly, has a failure at least."""
    environment = dict(os.environ, REDIS_PORT=str(redis_port), MEMCACHED_PORT=str(memcached_port),
                       PYTHONDONTWRITEBYTECODE="1")
    process = subprocess.Popen(command_of(program), cwd=HERE, env=environment,
                               stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT)
    try:
        output, problem = process.communicate(timeout=SECONDS_MAX)[0], ""
    except subprocess.TimeoutExpired:
        process.kill()
        output, problem = process.communicate()[0], f"took more than {SECONDS_MAX} s\n"
    text = output.decode(errors="replace")
    passed, failed = count(text)
    if not problem and process.returncode != 0 and failed == 0:
        problem = f"ended with {process.returncode}\n"
    if not problem and passed + failed == 0:
        problem = "no test ran\n"
    return passed, failed + bool(problem), text + problem
