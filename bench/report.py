#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/benchmarks.md: stitches the sections of docs/benchmarks/ together, measuring first if asked.

Each measurement writes its own section (`--write`), with date, machine, versions and command. This
puts them into one document, in a fixed order.

  ./dev bench report              stitch what has been measured
  ./dev bench report --measure    measure memory and speed first (about an hour)
"""
import argparse
import datetime
import os
import platform
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import servers  # noqa: E402

FOLDER = servers.ROOT / "docs/benchmarks"
DOCUMENT = servers.ROOT / "docs/benchmarks.md"
# Sections in the order of the document; others follow by name.
ORDER = ["speed", "speed-memcached", "speed-two-threads", "commands",
         "latency", "memory-per-key",
         "memory-churn", "memory-flush", "hit-ratio"]
MEASURES = [["memory_per_key.py"], ["memory_churn.py"], ["memory_flush.py"],
            ["side_by_side.py", "speed", "--rt", "--rounds", "5", "--protocols", "resp"],
            ["side_by_side.py", "speed-memcached", "--rt", "--rounds", "5", "--protocols",
             "text,mcbin"],
            ["side_by_side.py", "speed-two-threads", "--two-threads"],
            ["side_by_side.py", "commands", "--rt", "--rounds", "5", "--protocols", "resp",
             "--servers", "redis,mikura", "--pipelines", "1,16", "--operations",
             "incr,lpush,rpop,lrange10,hset,hget,sadd,sismember,zadd,zscore,zrange10,xadd,eval,"
             "eval-incr,evalsha"],
            ["side_by_side.py", "latency", "--rt", "--rate", "40000", "--pipelines", "1",
             "--rounds", "6", "--protocols", "resp,text"]]


def machine():
    """Processor, cores, memory and kernel in one line."""
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGESIZE") / 2**30
    name = found.group(1).strip() if found else platform.machine()
    return (f"{name}, {os.cpu_count()} cores, {memory:.0f} GiB, {platform.system()} "
            f"{platform.release()}")


def commit():
    done = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=servers.ROOT,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=False)
    return done.stdout.strip() or "unknown"


def write_section(name, title, words, command, binary, names, lines):
    """Writes docs/benchmarks/NAME.md. names: the servers measured; lines: what was found."""
    versions = [servers.version_of(n, binary) for n in names]
    head = [f"## {title}", "", words.strip(), "",
            f"`{command}`, {datetime.date.today().isoformat()}, commit {commit()}; {machine()}; "
            + "; ".join(v for v in versions if v) + ".", ""]
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / f"{name}.md").write_text("\n".join(head + list(lines)) + "\n")


def sections():
    """The section files in the order of the document."""
    rank = {name: at for at, name in enumerate(ORDER)}
    return sorted(FOLDER.glob("*.md"), key=lambda f: (rank.get(f.stem, len(ORDER)), f.stem))


def document():
    parts = ["<!-- Put together by ./dev bench report from docs/benchmarks/; do not edit. -->",
             "# Benchmarks", "",
             "What was measured, by which command, on which machine. Figures of two runs are not to "
             "be compared: machines change speed within minutes."]
    for file in sections():
        parts += ["", file.read_text().strip()]
    return "\n".join(parts) + "\n"


def main(arguments=None):
    p = argparse.ArgumentParser(description=__doc__,
                                formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--measure", action="store_true")
    p.add_argument("--check", action="store_true", help="only say whether the document is current")
    a = p.parse_args(arguments)
    if a.measure:
        here = Path(__file__).resolve().parent
        for script in MEASURES:
            subprocess.run([sys.executable, str(here / script[0]), "--write", *script[1:]], check=True)
    if a.check:
        return 0 if DOCUMENT.exists() and DOCUMENT.read_text() == document() else 1
    DOCUMENT.write_text(document())
    return 0


if __name__ == "__main__":
    sys.exit(main())
