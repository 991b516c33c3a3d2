#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The checks find what they claim to find: each rule is broken once in a small tree."""
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
import check_layers  # noqa: E402
import check_tree  # noqa: E402
import cpp_text  # noqa: E402


class Tree(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.root = Path(folder.name)
        subprocess.run(["git", "init", "-q", str(self.root)], check=True)
        self.write("tools/layers.txt", "base -\nlow base\nhigh base low\n")
        self.write("README.md", "| Folder | What |\n|---|---|\n| `low/` | the low one |\n")
        self.write("src/low/CMakeLists.txt", "x(SOURCES a.cc)\n")
        self.write("src/low/a.cc", '#include "low/a.h"\n')

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def expect(self, module, words):
        problems = module.check(self.root)
        self.assertEqual(len(problems), 1, problems)
        self.assertIn(words, problems[0])


class LayersTest(Tree):
    def test_an_allowed_tree_passes(self):
        self.write("src/high/a.cc", '#include "low/a.h"\n#include "base/b.h"\n#include <map>\n')
        self.assertEqual(check_layers.check(self.root), [])

    def test_an_include_upwards_fails(self):
        self.write("src/low/a.cc", '#include "high/a.h"\n')
        self.expect(check_layers, "low may not include high")

    def test_a_folder_without_a_line_fails(self):
        self.write("src/new/a.cc", "\n")
        self.expect(check_layers, "no line for new")

    def test_a_subfolder_with_its_own_line_may_do_only_that(self):
        self.write("tools/layers.txt", "base -\nlow base\nhigh low\nhigh/pure base\n")
        self.write("src/high/a.cc", '#include "high/pure/b.h"\n')
        self.write("src/high/pure/b.h", '#include "low/a.h"\n')
        self.expect(check_layers, "high/pure may not include low")

    def test_asio_in_a_header_fails_and_in_a_source_passes(self):
        self.write("src/low/a.cc", "#include <boost/asio/ip/tcp.hpp>\n")
        self.write("src/low/a.h", "#include <boost/beast/core.hpp>\n")
        self.expect(check_layers, "in a header")

    def test_main_stands_outside(self):
        self.write("src/low/main.cc", '#include "high/a.h"\n')
        self.assertEqual(check_layers.check(self.root), [])


class TreeTest(Tree):
    def test_a_good_tree_passes(self):
        self.assertEqual(check_tree.check(self.root), [])

    def test_a_source_that_nobody_builds_fails(self):
        self.write("src/low/aa.cc", "\n")
        self.expect(check_tree, "src/low/aa.cc: named by no CMakeLists.txt")

    def test_a_long_file_fails(self):
        self.write("src/low/a.cc", "\n" * 1001)
        self.expect(check_tree, "1001 lines")

    def test_a_long_function_fails_though_its_strings_and_comments_hold_braces(self):
        body = '  Call("}");  // }\n  char c = \'}\';\n' * 35
        self.write("src/low/a.cc", "namespace x {\nint F(int a)\n{\n" + body + "}\n}\n")
        self.expect(check_tree, "function of 73 lines")

    def test_a_leftover_marker_fails(self):
        self.write("src/low/a.cc", "// TO" "DO: later\n")
        self.expect(check_tree, "leftover marker")

    def test_a_comment_that_mentions_a_missing_path_fails(self):
        self.write("src/low/a.cc", '// See low/gone.h and <sys/epoll.h>.\n#include "low/b.h"\n')
        self.expect(check_tree, "mentions low/gone.h")

    def test_a_comment_that_mentions_a_missing_decision_fails(self):
        self.write("src/low/a.cc", "// Why: docs/adr/0007-x.md\n")
        problems = check_tree.check(self.root)
        self.assertEqual(len(problems), 2, problems)

    def test_a_folder_missing_in_the_readme_fails(self):
        self.write("src/high/CMakeLists.txt", "x(SOURCES a.cc)\n")
        self.write("src/high/a.cc", "\n")
        self.expect(check_tree, "no row for src/high/")

    def test_a_readme_row_without_a_folder_fails(self):
        self.write("README.md", "| `low/` | x |\n| `ghost/` | x |\n")
        self.expect(check_tree, "ghost")


class FunctionsTest(unittest.TestCase):
    def test_methods_free_functions_and_tests_are_functions_but_tables_are_not(self):
        text = ("class A {\n public:\n  int f() const { return 1; }\n};\n"
                "constexpr Row kRows[] = {\n  {G(1)},\n};\n"
                "TEST(X, Y) {\n  auto l = [](int a) {\n    return a;\n  };\n}\n")
        found = [(line, length) for line, length, _ in cpp_text.functions(text)]
        self.assertEqual(found, [(2, 2), (8, 5)])


if __name__ == "__main__":
    unittest.main()
