#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Builds and runs every test in stages, and ends with one line: "N passed, N failed".

  ./dev test                    all stages
  ./dev test system             one stage; further arguments go to its scripts (--target host:port)
  ./dev test Expiry             of each stage, only the tests and scripts whose name holds the word
  ./dev test --skip system      all but some stages (may be repeated)
  ./dev test --list             the stages

A stage that cannot be built, ends early or takes too long counts as one failure. What failed is
told again before the summary, so that the end of a long output says it all.
"""
import argparse
import os
import re
import select
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PYTHON = "/usr/bin/python3"  # Debian's, with Debian's boto3 and clients


@dataclass
class Stage:
    name: str
    preset: str  # what must be built
    what: str
    folder: str = ""  # of scripts *_test.py; none: ctest of the preset
    seconds_max: int = 600
    targets: tuple = ()  # what of the preset must be built; none: everything


WHAT = {
    "protocol": "what RESP clients of an engine see",
    "differential": "random commands, answered as redis-server does",
    "memcached": "what memcached clients of an engine see",
    "replication": "primaries and replicas, ours and Redis'",
    "persistence": "the append log: kills, torn files, a full disk, logs of Redis",
    "aws_api": "what AWS tools see of the service",
    "system": "real processes of the service, started and killed",
    "simulation": "replication, promotion, fence and recovery from seeds, with all that goes wrong",
    "concurrency": "many clients at once: nothing lost, nothing doubled, histories linearizable",
    "frameworks": "frameworks that people build on, of Node.js, Python and others",
    "race": "locks, and a node with its replica under load, in the thread sanitizer",
    "fuzz": "each fuzzer for some seconds, from its seeds (./dev fuzz: for longer)",
}
# Stages whose scripts need another build than release: the preset and its targets.
BUILDS = {"race": ("tsan", ("mikura", "concurrency_load", "mikura_keyspace_test")),
          "fuzz": ("fuzz", ("mikura_fuzzers",))}


def all_stages():
    """Unit tests, then every folder of tests/ that holds scripts: those of WHAT first."""
    found = {script.parent.name for script in (ROOT / "tests").glob("*/*_test.py")}
    names = [name for name in WHAT if name in found] + sorted(found - set(WHAT))
    stages = [Stage("unit", "asan", "unit tests and the tiny benchmark, in the sanitizers",
                    seconds_max=1500)]
    for name in names:
        preset, targets = BUILDS.get(name, ("release", ()))
        stages.append(Stage(name, preset, WHAT.get(name, ""), f"tests/{name}", 900, targets))
    return stages


STAGES = all_stages()


@dataclass
class Count:
    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def add(self, other):
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped

    def __str__(self):
        return (f"{self.passed} passed, {self.failed} failed"
                + (f", {self.skipped} skipped" if self.skipped else ""))


def say(text):
    print(f"> {text}", flush=True)


def run(command, seconds_max, env=None):
    """(exit code, output); the output is shown as it comes. Exit code None: took too long."""
    say(" ".join(str(word) for word in command))
    process = subprocess.Popen(command, cwd=ROOT, env=env, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               start_new_session=True)
    with process.stdout:
        output = copy_output(process, time.monotonic() + seconds_max)
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        print(f"took more than {seconds_max} s", flush=True)
        return None, output
    return process.returncode, output


def copy_output(process, deadline):
    """Shows and returns what the process writes, until its own end or the deadline."""
    pipe = process.stdout.fileno()
    output = b""
    while time.monotonic() < deadline:
        readable = select.select([pipe], [], [], 0.2)[0]
        chunk = os.read(pipe, 65536) if readable else b""
        output += chunk
        sys.stdout.buffer.write(chunk)
        sys.stdout.flush()
        # Its end is the process' own: a child it left behind may hold the pipe open.
        if not chunk and process.poll() is not None:
            break
    return output.decode(errors="replace")


def count_ctest(code, output):
    match = re.search(r"(\d+) tests? failed out of (\d+)", output)
    if not match:
        return Count(failed=1)
    failed, total = int(match.group(1)), int(match.group(2))
    skipped = len(re.findall(r"\*\*\*Skipped", output))
    if code != 0 and failed == 0:
        failed = 1
    return Count(total - failed - skipped, failed, skipped)


def count_script(code, output):
    """Of a line "N passed, N failed" (the last), or of unittest's summary."""
    own = re.findall(r"^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?", output, re.MULTILINE)
    ran = re.findall(r"^Ran (\d+) tests? in", output, re.MULTILINE)
    if own:
        count = Count(*(int(number or 0) for number in own[-1]))
    elif ran:
        words = dict(re.findall(r"\b(failures|errors|skipped|unexpected successes)=(\d+)",
                                output[output.rindex("Ran "):]))
        failed = sum(int(words.get(key, 0)) for key in
                     ("failures", "errors", "unexpected successes"))
        skipped = int(words.get("skipped", 0))
        # setUpClass that fails is an error without a test that ran.
        count = Count(max(0, int(ran[-1]) - failed - skipped), failed, skipped)
    else:
        count = Count()
    if code != 0 and count.failed == 0:
        count.failed = 1
    return count


TELLS_OF_FAILURE = re.compile(
    r"\*\*\*(Failed|Timeout|Exception)|\bFAIL|\bnot ok\b|Error\b|[1-9]\d* failed|took more than"
    r"|expected|Traceback|^\s+[+-] ")
TELLS_OF_SUCCESS = re.compile(r"\.\.\. ok$|^\s*ok\b|✔| 0 failed|  Passed |^\s+Start +\d+:")


def failing_lines(output, lines_max=30):
    """Of a failing script's output: the lines that seem to tell why, with the one after each."""
    lines = output.splitlines()
    telling = {near for i, line in enumerate(lines)
               if TELLS_OF_FAILURE.search(line) and not TELLS_OF_SUCCESS.search(line)
               for near in (i, i + 1) if near < len(lines)}
    return [lines[i] for i in sorted(telling)[:lines_max]] or lines[-lines_max:]


def run_counted(title, count_of, failures, *what):
    """run(*what), counted; `failures` gets what is to be told again."""
    code, output = run(*what)
    count = count_of(code, output)
    if count.failed:
        failures.append("\n  ".join([f"{title}: {count}", *failing_lines(output)]))
    return count


def run_ctest(stage, options, failures):
    command = ["ctest", "--test-dir", f"build/{stage.preset}", "-j", str(options.jobs),
               "--output-on-failure", "--no-tests=error", "--timeout", "300"]
    if options.word:
        listed = subprocess.run(command[:3] + ["-N", "-R", options.word], cwd=ROOT, text=True,
                                stdout=subprocess.PIPE, check=False).stdout
        if "Total Tests: 0" in listed:
            return Count()
        command += ["-R", options.word]
    environment = dict(os.environ, ASAN_SYMBOLIZER_PATH="/usr/bin/llvm-symbolizer-14",
                       UBSAN_OPTIONS="print_stacktrace=1")
    return run_counted(stage.name, count_ctest, failures, command, stage.seconds_max, environment)


def run_scripts(stage, options, failures):
    total = Count()
    scripts = sorted((ROOT / stage.folder).glob("*_test.py"))
    if options.word:
        scripts = [s for s in scripts if options.word in s.name]
    binary = ROOT / "build" / stage.preset / "mikura"
    environment = dict(os.environ, MIKURA_BIN=str(binary), AWS_PAGER="",
                       AWS_EC2_METADATA_DISABLED="true")
    for script in scripts:
        command = [PYTHON, str(script.relative_to(ROOT)), *options.rest]
        name = script.relative_to(ROOT)
        count = run_counted(name, count_script, failures, command, stage.seconds_max, environment)
        print(f"{name}: {count}", flush=True)
        total.add(count)
    return total


def has_tests(stage, options):
    if not stage.folder:
        return True
    return any(options.word in s.name for s in (ROOT / stage.folder).glob("*_test.py"))


def build(preset, targets, options):
    steps = [] if (ROOT / f"build/{preset}/build.ninja").exists() else [["cmake", "--preset", preset]]
    steps.append(["cmake", "--build", f"build/{preset}", "-j", str(options.jobs)]
                 + (["--target", *targets] if targets else []))
    for step in steps:
        say(" ".join(step))
        if subprocess.run(step, cwd=ROOT, check=False).returncode != 0:
            return False
    return True


def parse(arguments):
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--skip", action="append", default=[], metavar="STAGE")
    parser.add_argument("--list", action="store_true", help="the stages")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("pattern", nargs="?", default="", help="a stage, or part of a test's name")
    options, options.rest = parser.parse_known_args(arguments)
    names = [stage.name for stage in STAGES]
    unknown = set(options.skip) - set(names)
    if unknown:
        parser.error(f"no stage {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    unasked = [stage.name for stage in STAGES]
    chosen = [options.pattern] if options.pattern in names else unasked
    options.stages = [s for s in STAGES if s.name in chosen and s.name not in options.skip]
    options.word = "" if options.pattern in names else options.pattern
    return options


def main():
    options = parse(sys.argv[1:])
    if options.list:
        for stage in STAGES:
            print(f"{stage.name:12} {stage.preset:8} {stage.what}")
        return 0
    total, summary, failures, built = Count(), [], [], {}
    for stage in options.stages:
        if not has_tests(stage, options):
            continue
        print(f"\n== {stage.name}: {stage.what}", flush=True)
        begin = time.monotonic()
        what = (stage.preset, stage.targets)
        if what not in built:
            built[what] = build(*what, options)
        if not built[what]:
            count = Count(failed=1)
            failures.append(f"{stage.name}: the {stage.preset} build failed")
            print(failures[-1], flush=True)
        else:
            run_stage = run_scripts if stage.folder else run_ctest
            count = run_stage(stage, options, failures)
        summary.append(f"{stage.name:12} {count}  ({time.monotonic() - begin:.0f} s)")
        total.add(count)
    if failures:
        print("\n== what failed, once more\n" + "\n".join(failures))
    print("\n" + "\n".join(summary))
    if total.passed + total.failed == 0:
        print(f"no test matches {options.pattern!r}")
        total.failed = 1
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
