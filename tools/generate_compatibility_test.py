#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The generator of the compatibility documents reads the tables as they are written."""
import json
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
import generate_compatibility as generator  # noqa: E402

COMMANDS = """#!/bin/sh
printf 'GET\\tstring\\t1.0.0\\tReturns a value.\\n'
printf 'CLIENT\\tconnection\\t2.4.0\\tConnections.\\n'
printf 'CLIENT LIST\\tconnection\\t2.4.0\\tLists clients.\\n'
printf 'OURS\\tserver\\t0.1.0\\tNobody else has it.\\n'
"""
PARAMETERS = '''
constexpr ParameterSpec kRows[] = {
    // Network
    Number("port", "", &P::port, 0, 65535, kAtStart, "", "Port; 0 (zero) for none."),
    Number("tcp", "old-tcp", &P::tcp, 0, (1 << 3), kRuntime, kSeconds,
           "Two "
           "lines."),
    NotBuilt("save", ""),
    NotBuilt("limit", "64", "", "64mb"),
};
'''


class GeneratorTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        old, generator.ROOT = generator.ROOT, Path(folder.name)
        self.addCleanup(setattr, generator, "ROOT", old)
        self.write("tools/reference/known_commands.tsv",
                   "# comment\nGET\tstring\t1.0.0\tyes\tyes\tyes\n"
                   "SET\tstring\t1.0.0\tyes\tyes\tyes\nCLIENT\tconnection\t2.4.0\tyes\tyes\tyes\n"
                   "CLIENT LIST\tconnection\t2.4.0\tyes\tyes\tyes\n"
                   "NEW\tstring\tvalkey-9\tno\tno\tyes\nBF.ADD\tbloom\t1.0\tno\tyes\tno\n")
        self.write("tools/reference/partly_built.tsv", "CLIENT LIST\tno filters\n")

    def write(self, name, text):
        path = generator.ROOT / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def test_without_tables_there_are_no_documents(self):
        self.assertEqual({make() for make in generator.DOCUMENTS.values()}, {None})

    def test_commands_and_subcommands_built_and_missing(self):
        self.write("build/debug/mikura_list_commands", COMMANDS)
        (generator.ROOT / "build/debug/mikura_list_commands").chmod(0o755)
        text = generator.commands_document()
        self.assertIn("* 3 of the 4 commands and subcommands of Redis 7.0.", text)
        self.assertIn("* 3 of the 5 commands and subcommands of Valkey 9.", text)
        self.assertIn("| `GET` | string | 1.0.0 | yes | yes | yes | Returns a value. |", text)
        self.assertIn("| `SET` | string | 1.0.0 | yes | yes | no |  |", text)
        self.assertIn("| `NEW` | string | valkey-9 | no | yes | no |  |", text)
        self.assertIn("| `CLIENT LIST` | connection | 2.4.0 | yes | yes | partly: no filters |", text)
        self.assertIn("| `OURS` | server | 0.1.0 | no | no | yes | Nobody else has it. |", text)
        self.assertIn("| bloom | `BF.ADD` |", text)

    def test_parameters_built_and_not(self):
        self.write("src/wire/engine_parameter_rows.cc", PARAMETERS)
        text = generator.parameters_document()
        self.assertIn("| `port` |  | at start | Port; 0 (zero) for none. |", text)
        self.assertIn("| `tcp` | `old-tcp` | yes | Two lines. |", text)
        self.assertIn("| `save` | (empty) |", text)
        self.assertIn("| `limit` | `64` |", text)

    def test_aws_operations_built_and_missing(self):
        self.write("src/control/api/ec2/operations.json", json.dumps(
            {"service": "ec2", "version": "2016-11-15",
             "operations": {"A": {"implemented": True}, "B": {"implemented": False}}}))
        text = generator.aws_document()
        self.assertIn("Built (1): `A`", text)
        self.assertIn("Missing (1): `B`", text)

    def test_parameters_that_are_refused(self):
        self.assertEqual(generator.refused_parameters("s"), [])
        self.write("src/control/api/s/unavailable.cc", """
ApiResult<> RefuseUnavailable(const s::ARequest& request) {
  const Asked features[] = {
      {"One", request.one},
      {"Two other than x",
       Other(request.two, "x") && Other(request.two, "y")},
  };
  return RefuseFirst(features);
}
""")
        self.assertEqual(generator.refused_parameters("s")[-1], "| `A` | One, Two other than x |")

    def test_frameworks_with_the_versions_of_the_lock_file(self):
        self.assertEqual(generator.frameworks_section(), [])
        self.write("tests/frameworks/frameworks.tsv",
                   "# comment\nnode/a.mjs\tnpm: a @b/c\tqueues\nd.py\tDebian: d 1.2\tlocks\n")
        self.write("tests/frameworks/node/package-lock.json", json.dumps({"packages": {
            "node_modules/a": {"version": "1.0.0"}, "node_modules/@b/c": {"version": "2.0.0"}}}))
        rows = generator.frameworks_section()[-2:]
        self.assertEqual(rows, ["| npm: a 1.0.0, @b/c 2.0.0 | queues |", "| Debian: d 1.2 | locks |"])


if __name__ == "__main__":
    unittest.main()
