#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Redis' own Tcl suite, in external mode, against redis-server and against `mikura engine`.

    suite.py [--threads N] [--fresh] [-v] [unit/type/string ...]

The files come from Debian's source package (suite_source.py), fetched into build/. What redis-server
itself passes is what counts; that list is kept in build/ and made anew with --fresh. Then the same
files run against MIKURA_BIN, and the failures are listed: those of failures_known.tsv with their
reason. Fails when less than 98 % pass, when a file stops early, or when a test fails that is not
listed. -v shows what failing files wrote.
"""
import argparse
import json
import os
import shutil
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import suite_source
from suite_run import run_unit

HERE = Path(__file__).resolve().parent
KNOWN = HERE / "failures_known.tsv"
SHARE_WANTED = 0.98
REFERENCE_SECONDS = 900
# DEBUG DIGEST is of Redis' own memory; DEBUG needs more than we have where the suite says so.
OPTIONS = ["--ignore-digest", "--tags", "-needs:debug"]
# With several threads these may wait for ever: what they send on several connections, without
# waiting in between, has to be served in that order.
ENDLESS_WITH_THREADS = ["BRPOPLPUSH with multiple blocked clients"]


def our_options(threads):
    return OPTIONS + [word for name in ENDLESS_WITH_THREADS if threads > 1
                      for word in ("--skiptest", name)]


def reference_command():
    return [shutil.which("redis-server"), "--port", "{port}", "--bind", "127.0.0.1", "--save", "",
            "--appendonly", "no", "--enable-debug-command", "local"]


def our_command(threads):
    return [os.environ["MIKURA_BIN"], "engine", "--port", "{port}", "--bind", "127.0.0.1",
            "--threads", str(threads), "--enable-debug-command", "local"]


def known_failures():
    """(unit, test) -> reason"""
    known = {}
    for line in KNOWN.read_text().splitlines():
        if line and not line.startswith("#"):
            unit, test, reason = line.split("\t")
            known[unit, test] = reason
    return known


def reference_passes(source, units, fresh, jobs):
    """unit -> names of the tests that redis-server passes."""
    kept = suite_source.CACHE / "reference.json"
    passes = json.loads(kept.read_text()) if kept.exists() and not fresh else {}
    missing = [unit for unit in units if unit not in passes]

    def run(unit):
        return run_unit(source, unit, reference_command(), OPTIONS, REFERENCE_SECONDS)

    with ThreadPoolExecutor(jobs) as pool:
        for unit, result in zip(missing, pool.map(run, missing)):
            passes[unit] = result.passed
            print(f"redis-server {unit}: {len(result.passed)} passed, {len(result.failed)} failed, "
                  f"{result.end}", flush=True)
            kept.write_text(json.dumps(passes, indent=1))
    return {unit: passes[unit] for unit in units}


def judge(unit, result, wanted, known, options):
    """Prints one file's outcome. Returns (passed, tests that count, unexpected failures)."""
    got = set(result.passed)
    missed = [name for name in wanted if name not in got]
    unexpected = [name for name in missed if (unit, name) not in known]
    passed = len(wanted) - len(missed)
    print(f"{unit:40} {passed:4} of {len(wanted):4}  {result.end}", flush=True)
    for name in missed:
        mark = "known" if (unit, name) in known else "FAILED" if name in result.failed else "not run"
        print(f"    {mark}: {name}")
    if options.verbose and (missed or result.end != "ended"):
        print(result.output)
    return passed, len(wanted), len(unexpected) + (result.end != "ended")


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, default=1, help="event loops of our engine")
    parser.add_argument("--jobs", type=int, default=2, help="files at once")
    parser.add_argument("--seconds", type=int, default=300, help="for one file against ours")
    parser.add_argument("--fresh", action="store_true", help="ask redis-server again")
    parser.add_argument("-v", "--verbose", action="store_true")
    parser.add_argument("units", nargs="*")
    return parser.parse_args()


def main():
    options = parse_arguments()
    if not os.environ.get("MIKURA_BIN"):
        sys.exit("MIKURA_BIN is not set")
    source = suite_source.fetch_source()
    units = options.units or suite_source.unit_names(source)
    wanted = reference_passes(source, units, options.fresh, options.jobs)
    known = known_failures()
    begin = time.monotonic()

    def run(unit):
        return run_unit(source, unit, our_command(options.threads),
                        our_options(options.threads), options.seconds)

    passed = total = unexpected = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for unit, result in zip(units, pool.map(run, units)):
            counts = judge(unit, result, wanted[unit], known, options)
            passed, total, unexpected = (a + b for a, b in
                                         zip((passed, total, unexpected), counts))
    share = passed / total if total else 0
    print(f"\n{options.threads} threads, {time.monotonic() - begin:.0f} s: {share:.2%} of the tests "
          f"that redis-server passes")
    print(f"{passed} passed, {total - passed} failed")
    return 0 if share >= SHARE_WANTED and unexpected == 0 else 1


if __name__ == "__main__":
    sys.exit(main())
