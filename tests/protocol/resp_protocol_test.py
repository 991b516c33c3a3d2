#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""All *.test files against our engine and against redis-server: as they are, cut into random
pieces, and pipelined. With --target host:port: as they are, against a running server."""
import sys

import run


def main():
    arguments = sys.argv[1:]
    totals = [0, 0]
    rounds = [arguments] if "--target" in arguments else [
        ["--check-coverage"],
        ["--server", "mikura", "--split", "1"],
        ["--server", "mikura", "--split", "2"],
        ["--server", "mikura", "--pipeline"],
    ]
    for options in rounds:
        passed, failed = run.run(run.parse_options(options))
        totals[0] += passed
        totals[1] += failed
    print(f"{totals[0]} passed, {totals[1]} failed")
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())
