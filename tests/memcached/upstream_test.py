#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Memcached's own test files, against memcached itself and against `mikura memcached`.

    upstream_test.py [--all] [-v] [file.t ...]

The files come from Debian's source package (upstream_source.py). First they run against Debian's
memcached: what it passes is what counts; that list is kept in build/. Then they run against
MIKURA_BIN. The script fails when a file of upstream_passing.txt does not pass; --all runs the other
files too, and says which of them pass. -v shows what failing files wrote. Without network, and
without the source in build/, nothing runs, and the last line says so.
"""
import argparse
import json
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import upstream_runner
import upstream_source

HERE = Path(__file__).resolve().parent
RUNNER = HERE / "upstream_runner.py"
PASSING = HERE / "upstream_passing.txt"
# A file sleeps more than it computes. One that fails beside others is run again alone, since it may
# have missed a moment; that one counts.
FILES_AT_ONCE = 8
RUNNER_SECONDS = upstream_runner.SLOW_FILE_SECONDS + 30


def passing_files():
    lines = PASSING.read_text().splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def run_file(folder, file):
    """(verdict, seconds, output)"""
    try:
        done = subprocess.run([sys.executable, RUNNER, folder, file], stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=RUNNER_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return "the runner took too long", str(RUNNER_SECONDS), ""
    first, _, output = done.stdout.decode(errors="replace").partition("\n")
    verdict, _, seconds = first.partition("\t")
    return verdict, seconds, output


def run_files(folder, files):
    with ThreadPoolExecutor(FILES_AT_ONCE) as pool:
        results = dict(zip(files, pool.map(lambda file: run_file(folder, file), files)))
    for file, (verdict, seconds, _) in results.items():
        if verdict not in ("pass", "skip"):
            print(f"{file}: {verdict}, {seconds} s; once more, alone", flush=True)
            results[file] = run_file(folder, file)
    return results


def reference_verdicts(source, memcached):
    """What memcached itself makes of each file; kept, as it does not change."""
    kept = upstream_source.CACHE / "reference.json"
    if kept.exists():
        return json.loads(kept.read_text())
    folder = upstream_source.prepare("reference", memcached, source)
    files = sorted(path.name for path in (source / "t").glob("*.t"))
    print(f"running {len(files)} files against {memcached} once", flush=True)
    verdicts = {file: result[0] for file, result in run_files(folder, files).items()}
    kept.write_text(json.dumps(verdicts, indent=1))
    return verdicts


def parse():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--all", action="store_true", help="also files that need not pass")
    parser.add_argument("-v", "--verbose", action="store_true", help="output of failing files")
    parser.add_argument("files", nargs="*", help="only these")
    return parser.parse_args()


def skip(reason):
    print(f"SKIPPED, nothing was tested: {reason}")
    print("0 passed, 0 failed, 1 skipped")
    return 0


def report(results, must_pass, verbose):
    """Prints a line for each file; returns how many passed and how many failed that must pass."""
    passed = failed = 0
    for file, (verdict, seconds, output) in sorted(results.items()):
        must = file in must_pass
        print(f"{file:28} {verdict:40} {seconds:>5} s{'' if must else '  (need not pass)'}")
        if verdict != "pass" and (verbose or must):
            print(output)
        passed += verdict == "pass"
        failed += must and verdict != "pass"
    return passed, failed


def main():
    options = parse()
    mikura, memcached = os.environ.get("MIKURA_BIN"), shutil.which("memcached")
    if not mikura or not memcached:
        return skip("MIKURA_BIN and Debian's memcached are needed")
    try:
        source = upstream_source.fetch_source()
    except upstream_source.FetchError as error:
        return skip(f"memcached's source cannot be fetched: {error}")
    verdicts = reference_verdicts(source, memcached)
    counted = [file for file, verdict in verdicts.items() if verdict == "pass"]
    must_pass = set(passing_files())
    files = options.files or [f for f in counted if options.all or f in must_pass]
    folder = upstream_source.prepare("mikura", f"{Path(mikura).resolve()} memcached", source)
    results = run_files(folder, files)
    passed, failed = report(results, must_pass, options.verbose)
    for file in sorted(must_pass - set(counted)):
        print(f"{file}: on the list of files that must pass, but memcached does not pass it")
        failed += 1
    print(f"of {len(verdicts)} files memcached passes {len(counted)}; ran {len(results)}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
