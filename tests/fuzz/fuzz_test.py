#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs each fuzzer over its seeds and then on inputs of its own making, for a bounded time.

  fuzz_test.py [--seconds N] [target]     10 seconds for each target by default; two run at a time

A target passes when all its seeds and whatever it made of them went through. New inputs stay in
build/fuzz/corpus/<target>/, where the next run begins with them; an input that fails is left in
build/fuzz/failures/ and named, to be run again as: build/fuzz/fuzz/<target> <file>
"""
import argparse
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).resolve().parent
BUILD = HERE.parent.parent / "build/fuzz"
INPUT_BYTES_MAX = 8192
MEMORY_MEGABYTES_MAX = 2048
INPUT_SECONDS_MAX = 10


def targets():
    text = (HERE / "CMakeLists.txt").read_text(encoding="utf-8")
    return re.findall(r"^\s*(?:mikura_fuzzer\()?NAME (\w+_fuzzer)\b", text, re.MULTILINE)


def run(name, seconds):
    """(passed, what happened): libFuzzer exits with 0 when its time is over and nothing failed."""
    seeds, made, failures = HERE / "corpus" / name, BUILD / "corpus" / name, BUILD / "failures"
    count = len(list(seeds.iterdir())) if seeds.is_dir() else 0
    if count == 0:
        return False, f"no seeds in {seeds.relative_to(HERE.parent.parent)}"
    made.mkdir(parents=True, exist_ok=True)
    failures.mkdir(parents=True, exist_ok=True)
    command = [BUILD / "fuzz" / name, f"-max_total_time={seconds}", f"-max_len={INPUT_BYTES_MAX}",
               f"-timeout={INPUT_SECONDS_MAX}", f"-rss_limit_mb={MEMORY_MEGABYTES_MAX}",
               f"-artifact_prefix={failures}/{name}-", "-print_final_stats=1", made, seeds]
    environment = dict(os.environ, UBSAN_OPTIONS="print_stacktrace=1",
                       ASAN_SYMBOLIZER_PATH="/usr/bin/llvm-symbolizer-14")
    try:
        result = subprocess.run(command, env=environment, text=True, errors="replace", check=False,
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                stderr=subprocess.STDOUT, timeout=seconds + 120)
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, str(error)
    ran = re.search(r"number_of_executed_units:\s*(\d+)", result.stdout)
    if result.returncode != 0 or ran is None or int(ran.group(1)) < count:
        return False, result.stdout[-6000:]
    return True, f"{count} seeds, {ran.group(1)} inputs in {seconds} s"


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("target", nargs="?", help="one of them only; _fuzzer may be left out")
    options = parser.parse_args()
    known = targets()
    chosen = [name for name in known
              if options.target in (None, name, name.removesuffix("_fuzzer"))]
    if not chosen:
        parser.error(f"no target {options.target}; there are {', '.join(known)}")
    failed = 0
    with ThreadPoolExecutor(options.jobs) as pool:
        results = pool.map(lambda name: (name, *run(name, options.seconds)), chosen)
        for name, passed, words in results:
            print(f"{name}: {'ok' if passed else 'FAILED'}: {words}", flush=True)
            failed += not passed
    print(f"{len(chosen) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
