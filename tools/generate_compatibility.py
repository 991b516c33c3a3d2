#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the documents that say what is compatible, and what is missing, from the tables themselves:

  docs/commands.md     from our command table (the program mikura_list_commands prints it) and
                       tools/reference/{known_commands,partly_built}.tsv
  docs/parameters.md   from the rows of src/wire/engine_parameter_rows.cc
  docs/aws-api.md      from src/control/api/*/operations.json
  docs/compatibility.md  the summary of these

`--check` writes nothing and fails when a document is stale. A source that is not there yet leaves
its document out.
"""
import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "<!-- Written by ./dev gen from the tables in the source; do not edit. -->"
STRING = r'"((?:[^"\\]|\\.)*)"'


def joined_strings(text):
    """The value of adjacent C++ string literals."""
    return "".join(re.findall(STRING, text)).replace('\\"', '"')


def command_rows():
    """{NAME or "NAME SUB": (group, since, summary)} of our command table; empty before it is built."""
    program = ROOT / "build/debug/mikura_list_commands"
    if not program.exists():
        return {}
    text = subprocess.run([program], check=True, capture_output=True, text=True).stdout
    rows = (line.split("\t") for line in text.splitlines())
    return {name: (group, since, summary) for name, group, since, summary in rows}


def rows_of(path):
    """The rows of a table in the repository: values by tabs, # begins a comment. None: no file."""
    if not (ROOT / path).exists():
        return None
    lines = (ROOT / path).read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


class Known:
    """A command that Redis or Valkey has."""

    def __init__(self, name, group, since, redis_7, redis_8, valkey_9):
        self.name, self.group, self.since = name, group, since
        self.where = {"Redis 7.0": redis_7 == "yes", "Redis 8": redis_8 == "yes",
                      "Valkey 9": valkey_9 == "yes"}


def known_commands():
    return {row[0]: Known(*row) for row in rows_of("tools/reference/known_commands.tsv")}


SERVERS = ("Redis 7.0", "Redis 8", "Valkey 9")
# Groups that Redis 8 has taken from its modules.
MODULES = {"search", "json", "timeseries", "cuckoo", "tdigest", "vectorset", "bloom", "topk", "cms"}


def works_in(ours, partly, name):
    if name not in ours:
        return "no"
    return f"partly: {partly[name]}" if name in partly else "yes"


def counted(ours, known, server):
    """(built, all) of the commands of `server`, without those of modules."""
    names = [k.name for k in known.values() if k.where[server] and k.group not in MODULES]
    return sum(name in ours for name in names), len(names)


def commands_document():
    ours = command_rows()
    if not ours:
        return None
    known, partly = known_commands(), dict(rows_of("tools/reference/partly_built.tsv"))
    for name in set(partly) - set(ours):
        raise SystemExit(f"partly_built.tsv: {name} is not built")
    out = [MARK, "# Commands", ""]
    for server in SERVERS:
        built, total = counted(ours, known, server)
        out.append(f"* {built} of the {total} commands and subcommands of {server}"
                   f"{' (those of its modules aside)' if server == 'Redis 8' else ''}.")
    out += ["", "One that is not built answers `ERR unknown command` (or `unknown subcommand`).", "",
            "| Command | Group | Since | Redis 8 | Valkey 9 | Mikura | What it does |",
            "|---|---|---|---|---|---|---|"]
    for name in sorted(set(ours) | {k.name for k in known.values() if k.group not in MODULES}):
        group, since, summary = ours.get(name, ("", "", ""))
        there = known.get(name)
        if there:
            group, since = there.group, there.since
        marks = ["yes" if there and there.where[server] else "no" for server in SERVERS[1:]]
        out.append(f"| `{name}` | {group} | {since} | {' | '.join(marks)} | "
                   f"{works_in(ours, partly, name)} | {summary} |")
    out += ["", "## Modules of Redis 8: not built", "", "| Group | Commands |", "|---|---|"]
    for group in sorted(MODULES):
        names = sorted(k.name for k in known.values() if k.group == group)
        if names:
            out.append(f"| {group} | {', '.join(f'`{n}`' for n in names)} |")
    return "\n".join(out) + "\n"


def parameters_document():
    path = ROOT / "src/wire/engine_parameter_rows.cc"
    if not path.exists():
        return None
    text = path.read_text(encoding="utf-8")
    body = text[text.index("kRows[] = {"):]
    built, missing = [], []
    for match in re.finditer(rf"^    (\w+)\(((?:{STRING}|[^()\"]|\((?:[^()\"]|{STRING})*\))*)\),",
                             body, re.MULTILINE):
        kind, arguments = match.group(1), match.group(2)
        if kind == "Accumulating":  # a row made from another one
            kind, arguments = re.fullmatch(r"(\w+)\((.*)\)", arguments, re.DOTALL).groups()
        strings = re.findall(STRING, arguments)
        if kind == "NotBuilt":
            missing.append((strings[0], strings[1] if len(strings) > 1 else ""))
            continue
        summary = joined_strings(re.search(rf"((?:{STRING}\s*)+)$", arguments).group(1))
        alias = strings[1] if kind != "Choice" and re.search(rf"^{STRING},\s*{STRING}", arguments) else ""
        running = "yes" if "kRuntime" in arguments or kind == "Secret" else "at start"
        built.append((strings[0], alias, running, summary))
    out = [MARK, "# Parameters of an engine", "",
           "In a configuration file (`mikura engine FILE.conf`), on the command line (`--name value`) "
           "and, where the third column says yes, by `CONFIG SET`.", "",
           "| Parameter | Also called | Changes while running | Meaning |", "|---|---|---|---|"]
    out += [f"| `{n}` | {f'`{a}`' if a else ''} | {r} | {s} |" for n, a, r, s in built]
    out += ["", "## Known, not built", "",
            "Accepted with this value, which changes nothing; refused by name with any other.", "",
            "| Parameter | Value |", "|---|---|"]
    out += [f"| `{name}` | {f'`{value}`' if value else '(empty)'} |" for name, value in missing]
    return "\n".join(out) + "\n"


def refused_parameters(service):
    """The section on parameters of built operations that are refused: from unavailable.cc."""
    source = ROOT / f"src/control/api/{service}/unavailable.cc"
    if not source.exists():
        return []
    text = source.read_text(encoding="utf-8")
    out = ["", "Parameters that these refuse (InvalidParameterValue: ... is not available yet):", "",
           "| Operation | Parameters |", "|---|---|"]
    for operation, body in re.findall(r"RefuseUnavailable\(const \w+::(\w+)Request&.*?\{(.*?)\n\}", text, re.S):
        names = re.findall(r'\{"([^"]+)",', body)
        out.append(f"| `{operation}` | {', '.join(names)} |")
    return out


def aws_document():
    out = [MARK, "# AWS operations", "",
           "Those that are not built are refused with an AWS error that says so."]
    paths = sorted((ROOT / "src/control/api").glob("*/operations.json"))
    for path in paths:
        service = json.loads(path.read_text(encoding="utf-8"))
        built = sorted(n for n, o in service["operations"].items() if o.get("implemented"))
        refused = sorted((n, o["refused"]) for n, o in service["operations"].items() if "refused" in o)
        missing = sorted(set(service["operations"]) - set(built) - {n for n, _ in refused})
        out += ["", f"## {service['service']}, version {service['version']}", "",
                f"Built ({len(built)}): {', '.join(f'`{n}`' for n in built)}"]
        out += refused_parameters(service["service"])
        if missing:
            out += ["", f"Missing ({len(missing)}): {', '.join(f'`{n}`' for n in missing)}"]
        if refused:
            out += ["", f"Refused ({len(refused)}), as AWS refuses what does not exist:", "",
                    "| Operation | Error |", "|---|---|"]
            out += [f"| `{name}` | {why} |" for name, why in refused]
    return "\n".join(out) + "\n" if paths else None


def memcached_files():
    """(lines of the table, section) of memcached's own test files; empty before they are run."""
    passing, failed = (rows_of(f"tests/memcached/upstream_{name}")
                       for name in ("passing.txt", "reasons.tsv"))
    if passing is None or failed is None:
        return [], []
    passed = [file for file, in passing]
    total = len(passed) + len(failed)
    row = (f"| memcached 1.6.18's own test files, of those Debian's memcached passes | {len(passed)} "
           f"| {total} | below |")
    section = ["", "## Memcached's own test files that need not pass", "", "| File | Why |",
               "|---|---|"]
    for file, reason in sorted(failed):
        if file in passed:
            raise SystemExit(f"{file}: in upstream_passing.txt and in upstream_reasons.tsv")
        section.append(f"| `{file}` | {reason} |")
    return [row], section


def redis_suite():
    """The section on tests of Redis' own suite that do not pass."""
    rows = rows_of("tests/redis_suite/failures_known.tsv")
    if rows is None:
        return []
    out = ["", "## Tests of Redis' own suite that do not pass", "",
           "`./dev suite redis` runs the suite of Redis 7.0 against redis-server and against us."]
    if rows:
        out += ["", "| Unit | Test | Why |", "|---|---|---|"]
        out += [f"| `{unit}` | {test} | {reason} |" for unit, test, reason in rows]
    return out


def frameworks_section():
    """Of the programs in tests/frameworks; npm's versions come from its lock file."""
    rows = rows_of("tests/frameworks/frameworks.tsv")
    lock = ROOT / "tests/frameworks/node/package-lock.json"
    if rows is None:
        return []
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"] if lock.exists() else {}
    out = ["", "## Frameworks tested", "",
           "Each by a program in `tests/frameworks/` that passes against redis-server 7.0.15 (memcached "
           "1.6.18) too; `./dev test frameworks` runs them all.", "",
           "| Frameworks | What of them |", "|---|---|"]
    for _, frameworks, what in rows:
        if frameworks.startswith("npm: "):
            names = frameworks.removeprefix("npm: ").split()
            frameworks = "npm: " + ", ".join(
                f"{name} {packages[f'node_modules/{name}']['version']}" for name in names)
        out.append(f"| {frameworks} | {what} |")
    return out


def long_requests():
    """The section on requests for which others wait."""
    rows = rows_of("tools/reference/long_requests.tsv")
    if not rows:
        return []
    out = ["", "## Requests that others wait for", "",
           "Redis runs one command at a time, however long it takes. Here others go on: a request on a "
           "collection of a million elements makes nobody else wait longer than 10 ms "
           "(`bench/longest_wait.py`, `docs/adr/0021-long-work-on-held-values.md`), however long it takes "
           "itself. The exceptions:", "",
           "| Requests | Why |", "|---|---|"]
    out += [f"| {requests} | {reason} |" for requests, reason in rows]
    return out + ["", "`KEYS`, and `SCAN` with a large `COUNT`, see each key at a moment of its own; of keys that are "
                  "renamed meanwhile they may list both names, or none."]


def writable_replicas():
    """The section on replicas that take writes of clients."""
    rows = rows_of("tools/reference/writable_replicas.tsv")
    if not rows:
        return []
    out = ["", "## Replicas that take writes", "",
           "With `replica-read-only no` a replica takes writes of its own clients, as in Redis: what they "
           "write goes neither to its primary nor to its replicas, stays in its snapshots, goes at its "
           "deadline, and is gone after the next full copy. What differs:", "",
           "| What | Redis 7.0 | Here |", "|---|---|---|"]
    return out + [f"| {what} | {theirs} | {ours} |" for what, theirs, ours in rows]


def compatibility_document():
    ours = command_rows()
    if not ours:
        return None
    known = known_commands()
    out = [MARK, "# Compatibility", "",
           "| What | Works | Of | Details |", "|---|---|---|---|"]
    for server in SERVERS:
        built, total = counted(ours, known, server)
        aside = ", without modules" if server == "Redis 8" else ""
        out.append(f"| commands and subcommands of {server}{aside} | {built} | {total} | "
                   "[commands.md](commands.md) |")
    for path in sorted((ROOT / "src/control/api").glob("*/operations.json")):
        service = json.loads(path.read_text(encoding="utf-8"))
        operations = service["operations"].values()
        built = sum(bool(o.get("implemented")) for o in operations)
        out.append(f"| described operations of AWS {service['service']} | {built} | "
                   f"{len(operations)} | [aws-api.md](aws-api.md) |")
    rows, section = memcached_files()
    out += rows
    out += ["", "Settings of an engine: [parameters.md](parameters.md).", "",
            "Memcached: the text protocols, classic and meta, and the binary protocol, with SASL "
            "PLAIN and password files, on the keys of database 0 ([memcached.md](memcached.md)). "
            "UDP (`-U`) serves them too.", "",
            "Whatever is not built answers with an error that names it: an unknown command, a setting "
            "that is refused at start, an AWS error `UnsupportedOperation`."]
    out += long_requests() + writable_replicas() + frameworks_section() + section + redis_suite()
    return "\n".join(out) + "\n"


DOCUMENTS = {"docs/compatibility.md": compatibility_document, "docs/commands.md": commands_document, "docs/parameters.md": parameters_document,
             "docs/aws-api.md": aws_document}


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="write nothing, fail on stale ones")
    check = parser.parse_args().check
    stale = False
    for name, make in DOCUMENTS.items():
        text, path = make(), ROOT / name
        current = path.read_text(encoding="utf-8") if path.exists() else None
        if text == current:
            continue
        if check:
            print(f"{name} is stale: ./dev gen")
            stale = True
        elif text is None:
            path.unlink()
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
