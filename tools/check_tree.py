#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Rules about the tree that no compiler checks: what is built, how long, what is mentioned.

  * every .cc under src/, bench/ and tests/ is named by the CMakeLists.txt that covers it
  * size limits of files and functions
  * no leftover markers
  * paths and decisions mentioned in comments, README.md and docs/architecture.md exist
  * every folder of src/ with sources has a row in README.md, and every row a folder
"""
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
from cpp_text import comments, functions  # noqa: E402

FILE_LINES_MAX = 1000
TEST_LINES_MAX = 1500
FUNCTION_LINES_MAX = 70
CODE_SUFFIXES = {".cc", ".h", ".py", ".sh", ".cmake", ".txt", ".ts", ".tsx", ".css", ".html"}
CODE_FOLDERS = ("src/", "bench/", "tests/", "tools/", "cmake/", "console/", "packaging/", ".ci/")
MARKER = re.compile(r"\b(TO" r"DO|FIX" r"ME|XX" r"X|HA" r"CK)\b")
PATH = re.compile(r"(?<![\w/.<~-])((?:[\w.-]+/)+[\w.-]+\.(?:cc|h|md|py|json|tsv|txt|test|cmake|sh))\b")
ADR = re.compile(r"\bADR[ -]?(\d{4})\b|\badr/(\d{4})\b")


def tracked_files(root):
    """Paths that git knows or would add, relative, with '/'."""
    out = subprocess.run(["git", "ls-files", "-co", "--exclude-standard"], cwd=root, text=True,
                         check=True, stdout=subprocess.PIPE).stdout
    return [name for name in out.splitlines() if (root / name).is_file()]


def is_test(name):
    return name.startswith("tests/") or re.search(r"_(test|bench)\.\w+$", name) is not None


def names(text, path):
    """Either the file itself, or its bare stem (lists of fuzzers: foreach over names)."""
    stem = re.escape(path[:-len(".cc")])
    return re.search(rf"(?<![\w./-]){stem}(\.cc)?(?![\w./-])", text) is not None


def check_named(root, files):
    """A .cc that no CMakeLists.txt names is not built, and rots."""
    lists = {name.rpartition("/")[0]: read(root, name)
             for name in files if name.endswith("/CMakeLists.txt")}
    for name in files:
        if not name.endswith(".cc") or not name.startswith(("src/", "bench/", "tests/")):
            continue
        if not any(names(text, name[len(folder) + 1:]) for folder, text in lists.items()
                   if name.startswith(folder + "/")):
            yield f"{name}: named by no CMakeLists.txt"


def check_sizes(root, files):
    for name in files:
        if Path(name).suffix not in {".cc", ".h", ".py"} or not name.startswith(CODE_FOLDERS):
            continue
        text = (root / name).read_text(encoding="utf-8")
        lines = text.count("\n")
        limit = TEST_LINES_MAX if is_test(name) else FILE_LINES_MAX
        if lines > limit:
            yield f"{name}: {lines} lines, {limit} allowed: it has two subjects"
        if name.endswith((".cc", ".h")):
            for line, length, title in functions(text):
                if length > FUNCTION_LINES_MAX:
                    yield (f"{name}:{line}: function of {length} lines, {FUNCTION_LINES_MAX} "
                           f"allowed: {title}")


def check_markers(root, files):
    for name in files:
        in_code = name.startswith(CODE_FOLDERS) and Path(name).suffix in CODE_SUFFIXES
        if not in_code and name != "dev":
            continue
        for number, line in enumerate(read(root, name).splitlines(), 1):
            match = MARKER.search(line)
            if match:
                yield f"{name}:{number}: leftover marker {match.group(1)}"


def read(root, name):
    return (root / name).read_text(encoding="utf-8", errors="replace")


class Mentions:
    """Whether a path that a text mentions exists: from the root, from src/, or as the tail of one."""

    def __init__(self, root, files):
        self.root = root
        self.files = set(files)
        self.tails = {name[i + 1:] for name in files for i, c in enumerate(name) if c == "/"}
        self.tops = {name.split("/", 1)[0] for name in files if "/" in name}
        self.tops |= {name.split("/")[1] for name in files if re.match(r"src/\w+/", name)}
        self.adrs = {m.group(1) for name in files if (m := re.match(r"docs/adr/(\d{4})-", name))}

    def missing(self, text, strict):
        """strict: any path must exist; otherwise only those that begin with a folder of ours."""
        for number, line in enumerate(text.splitlines(), 1):
            for path in PATH.findall(line):
                ours = path.split("/", 1)[0] in self.tops or path.startswith("docs/")
                if (strict or ours) and not self.exists(path):
                    yield number, path
            for match in ADR.finditer(line):
                adr = match.group(1) or match.group(2)
                if adr not in self.adrs:
                    yield number, f"ADR {adr}"

    def exists(self, path):
        if path.startswith("build/") or "NNNN" in path:
            return True
        return path in self.files or path in self.tails or (self.root / path).exists()


def check_mentions(root, files):
    mentions = Mentions(root, files)
    for name in files:
        if name.startswith(("src/", "bench/", "tests/")) and name.endswith((".cc", ".h")):
            for number, path in mentions.missing(comments(read(root, name)), strict=False):
                yield f"{name}:{number}: mentions {path}, which does not exist"
        if name in ("docs/architecture.md", "README.md", "CONTRIBUTING.md"):
            for number, path in mentions.missing(read(root, name), strict=True):
                yield f"{name}:{number}: mentions {path}, which does not exist"


def check_readme(root, files):
    readme = read(root, "README.md") if "README.md" in files else ""
    rows = set(re.findall(r"^\| `([\w/]+?)/?` \|", readme, re.MULTILINE))
    folders = {name[len("src/"):].rpartition("/")[0] for name in files
               if name.startswith("src/") and name.endswith((".cc", ".h"))
               and Path(name).stem != "main"}
    for folder in sorted(folders - {""}):
        if folder not in rows:
            yield f"README.md: no row for src/{folder}/"
    for row in sorted(rows):
        if not any(name.startswith(f"src/{row}/") for name in files):
            yield f"README.md: a row for {row}/, which is no folder of src/"


CHECKS = (check_named, check_sizes, check_markers, check_mentions, check_readme)


def check(root):
    files = tracked_files(root)
    return [problem for one in CHECKS for problem in one(root, files)]


def main():
    root = Path(sys.argv[1] if len(sys.argv) > 1 else Path(__file__).parent.parent).resolve()
    problems = check(root)
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
