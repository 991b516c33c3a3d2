#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the documents that say what is compatible, and what is missing, from the tables themselves:

  docs/commands.md     from the rows of src/engine/commands/*.cc and the commands of Redis 7.0
  docs/parameters.md   from the rows of src/wire/engine_parameter_rows.cc
  docs/aws-api.md      from src/control/api/*/operations.json
  docs/compatibility.md  the summary of these

`--check` writes nothing and fails when a document is stale. A source that is not there yet leaves
its document out.
"""
import argparse
import json
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
MARK = "<!-- Written by ./dev gen from the tables in the source; do not edit. -->"
STRING = r'"((?:[^"\\]|\\.)*)"'


def joined_strings(text):
    """The value of adjacent C++ string literals."""
    return "".join(re.findall(STRING, text)).replace('\\"', '"')


def field(row, name):
    match = re.search(rf"\.{name}\s*=\s*((?:{STRING}\s*)+|[\w:]+)", row)
    if not match:
        return ""
    value = match.group(1)
    return joined_strings(value) if value.startswith('"') else value


def split_rows(body):
    """The texts between the outermost braces of an initialiser."""
    depth, begin = 0, 0
    for match in re.finditer(rf"{STRING}|[{{}}]", body):
        if match.group() == "{":
            if depth == 0:
                begin = match.end()
            depth += 1
        elif match.group() == "}":
            depth -= 1
            if depth == 0:
                yield body[begin:match.start()]


def command_rows(folder):
    """{NAME or "NAME SUB": row} of all CommandSpec tables."""
    arrays = {}
    for path in sorted(folder.glob("*.cc")):
        text = path.read_text(encoding="utf-8")
        for match in re.finditer(r"\bCommandSpec\s+(k\w+)\[\]\s*=\s*{(.*?)\n};", text, re.DOTALL):
            rows = [{name: field(row, name)
                     for name in ("name", "group", "since", "summary", "subcommands")}
                    for row in split_rows(match.group(2))]
            arrays[match.group(1)] = [row for row in rows if row["name"]]
    below = {row["subcommands"] for rows in arrays.values() for row in rows}
    found = {}
    for name, rows in arrays.items():
        if name in below:
            continue
        for row in rows:
            found[row["name"]] = row
            for sub in arrays.get(row["subcommands"], []):
                found[f"{row['name']} {sub['name']}"] = dict(sub, group=row["group"])
    return found


def redis_commands():
    """{name: group} of Redis 7.0."""
    lines = (ROOT / "tools/reference/redis_commands.tsv").read_text().splitlines()
    return {line.split("\t")[0]: line.split("\t")[1] for line in lines if not line.startswith("#")}


def commands_document():
    folder = ROOT / "src/engine/commands"
    ours = command_rows(folder)
    if not ours:
        return None
    theirs = redis_commands()
    counted = sum(name in ours for name in theirs)
    out = [MARK, "# Commands", "",
           f"{counted} of the {len(theirs)} commands and subcommands of Redis 7.0 are built. One "
           "that is not answers `ERR unknown command` (or `unknown subcommand`).", "",
           "| Command | Group | Since | What it does |", "|---|---|---|---|"]
    for name, row in sorted(ours.items()):
        out.append(f"| `{name}` | {row['group']} | {row['since']} | {row['summary']} |")
    out += ["", "## Missing", "", "| Group | Commands |", "|---|---|"]
    groups = {}
    for name, group in theirs.items():
        if name not in ours:
            groups.setdefault(group, []).append(name)
    for group, names in sorted(groups.items()):
        whole = [n for n in names if " " not in n or n.split(" ")[0] in ours]
        out.append(f"| {group} | {', '.join(f'`{n}`' for n in sorted(whole))} |")
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


def aws_document():
    out = [MARK, "# AWS operations", "",
           "Those that are not built are refused with an AWS error that says so."]
    paths = sorted((ROOT / "src/control/api").glob("*/operations.json"))
    for path in paths:
        service = json.loads(path.read_text(encoding="utf-8"))
        built = sorted(n for n, o in service["operations"].items() if o.get("implemented"))
        missing = sorted(set(service["operations"]) - set(built))
        out += ["", f"## {service['service']}, version {service['version']}", "",
                f"Built ({len(built)}): {', '.join(f'`{n}`' for n in built)}"]
        if missing:
            out += ["", f"Missing ({len(missing)}): {', '.join(f'`{n}`' for n in missing)}"]
    return "\n".join(out) + "\n" if paths else None


def memcached_files():
    """(lines of the table, section) of memcached's own test files; empty before they are run."""
    folder = ROOT / "tests/memcached"
    passing, reasons = folder / "upstream_passing.txt", folder / "upstream_reasons.tsv"
    if not passing.exists() or not reasons.exists():
        return [], []
    passed, failed = ([line for line in path.read_text().splitlines()
                       if line and not line.startswith("#")] for path in (passing, reasons))
    total = len(passed) + len(failed)
    row = (f"| memcached 1.6.18's own test files, of those Debian's memcached passes | {len(passed)} "
           f"| {total} | below |")
    section = ["", "## Memcached's own test files that need not pass", "", "| File | Why |",
               "|---|---|"]
    for line in sorted(failed):
        file, reason = line.split("\t")
        if file in passed:
            raise SystemExit(f"{file}: in upstream_passing.txt and in upstream_reasons.tsv")
        section.append(f"| `{file}` | {reason} |")
    return [row], section


def frameworks_section():
    """Of the programs in tests/frameworks; npm's versions come from its lock file."""
    folder = ROOT / "tests/frameworks"
    table, lock = folder / "frameworks.tsv", folder / "node/package-lock.json"
    if not table.exists():
        return []
    packages = json.loads(lock.read_text(encoding="utf-8"))["packages"] if lock.exists() else {}
    out = ["", "## Frameworks tested", "",
           "Each by a program in `tests/frameworks/` that passes against redis-server 7.0.15 (memcached "
           "1.6.18) too; `./dev test frameworks` runs them all.", "",
           "| Frameworks | What of them |", "|---|---|"]
    for line in table.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            continue
        _, frameworks, what = line.split("\t")
        if frameworks.startswith("npm: "):
            names = frameworks.removeprefix("npm: ").split()
            frameworks = "npm: " + ", ".join(
                f"{name} {packages[f'node_modules/{name}']['version']}" for name in names)
        out.append(f"| {frameworks} | {what} |")
    return out


def compatibility_document():
    ours = command_rows(ROOT / "src/engine/commands")
    if not ours:
        return None
    theirs = redis_commands()
    out = [MARK, "# Compatibility", "",
           "| What | Works | Of | Details |", "|---|---|---|---|",
           f"| commands and subcommands of Redis 7.0 | {sum(n in ours for n in theirs)} | "
           f"{len(theirs)} | [commands.md](commands.md) |"]
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
    out += frameworks_section() + section
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
