#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The comparison runs end to end, tiny: so that it cannot rot. Says nothing about speed."""
import contextlib
import io
import json
import os
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import servers  # noqa: E402
import side_by_side  # noqa: E402

BUILD = Path(os.environ.get("MIKURA_BENCH_BUILD", servers.ROOT / "build/release"))
TINY = ["--build", str(BUILD), "--rounds", "1", "--seconds", "0.05", "--connections", "4",
        "--keys", "500", "--time-limit", "120"]
COMMANDS = ["get", "incr", "lpush", "rpop", "lrange10", "hset", "hget", "sadd", "sismember", "zadd",
            "zscore", "zrange10", "xadd", "eval", "eval-incr", "evalsha", "set"]


def run(*arguments):
    """(exit code, standard output, measurements as {(protocol, operation, pipeline, server): runs})"""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "all.json"
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            code = side_by_side.main(TINY + ["--json", str(path), *arguments])
        rows = json.loads(path.read_text()) if path.exists() else []
    return code, out.getvalue(), {tuple(row["case"]) + (row["server"],): row["runs"] for row in rows}


class SideBySideTest(unittest.TestCase):
    def expect_all(self, rows, protocol, server):
        for operation in ("get", "set"):
            for pipeline in (1, 16):
                (measured,) = rows[(protocol, operation, pipeline, server)]
                self.assertGreater(measured["requests"], 0)
                self.assertGreater(measured["server_us_per_request"], 0)
                self.assertEqual(measured["misses"], 0)

    def test_redis_and_the_floor_are_measured_in_resp(self):
        code, out, rows = run("--servers", "floor,redis", "--protocols", "resp", "--pipelines", "1,16")
        self.assertEqual(code, 0)
        self.expect_all(rows, "resp", "floor")
        self.expect_all(rows, "resp", "redis")
        self.assertIn("| resp get P16 | redis | **", out)

    def test_memcached_and_the_floor_are_measured_in_every_dialect(self):
        code, _, rows = run("--servers", "floor,memcached", "--protocols", "text,meta,mcbin",
                            "--pipelines", "1,16")
        self.assertEqual(code, 0)
        for protocol in ("text", "meta", "mcbin"):
            self.expect_all(rows, protocol, "floor")
            self.expect_all(rows, protocol, "memcached")

    def expect_commands(self, server):
        code, _, rows = run("--servers", server, "--protocols", "resp", "--pipelines", "1,16",
                            "--collections", "40", "--operations", ",".join(COMMANDS))
        self.assertEqual(code, 0)
        self.assertEqual({key[1] for key in rows}, set(COMMANDS))
        for key, (measured,) in rows.items():
            self.assertGreater(measured["requests"], 0, key)
            if key[1] != "rpop":  # its lists may run dry
                self.assertEqual(measured["misses"], 0, key)

    def test_other_commands_are_measured_between_gets(self):
        self.expect_commands("redis")

    @unittest.skipUnless((BUILD / "mikura").exists(), "mikura is not built")
    def test_other_commands_of_mikura_are_measured_between_gets(self):
        self.expect_commands("mikura")

    @unittest.skipUnless((BUILD / "mikura").exists(), "mikura is not built")
    def test_mikura_is_measured_in_every_protocol(self):
        code, _, rows = run("--servers", "mikura", "--protocols", "resp,text,meta,mcbin",
                            "--pipelines", "1,16")
        self.assertEqual(code, 0)
        for protocol in ("resp", "text", "meta", "mcbin"):
            self.expect_all(rows, protocol, "mikura")

    def test_error_replies_end_the_run(self):
        server = servers.Server("mute", ["redis-server", "--port", "{port}", "--save", "",
                                         "--maxmemory", "1"], {"resp"})
        server.start("0")
        self.addCleanup(server.stop)
        bench = side_by_side.Bench(side_by_side.parse(TINY + ["--servers", ""]))
        with self.assertRaisesRegex(servers.BenchError, "error replies.*OOM"):
            bench.fill(server)

    def test_two_threads_run_without_a_floor(self):
        code, _, rows = run("--two-threads", "--servers", "floor,redis", "--protocols", "resp",
                            "--pipelines", "16")
        self.assertEqual(code, 0)
        self.assertEqual({key[3] for key in rows}, {"redis"})


if __name__ == "__main__":
    unittest.main()
