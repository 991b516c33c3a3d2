# SPDX-License-Identifier: Apache-2.0
"""Redis' own Tcl tests, from Debian's source package."""
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(ROOT / "tests" / "upstream"))
from debian_source import FetchError, fetch_source as fetch_package  # noqa: E402

CACHE = ROOT / "build" / "redis-suite"

__all__ = ["CACHE", "FetchError", "fetch_source", "unit_names"]


def fetch_source():
    return fetch_package("redis", CACHE, "tests/test_helper.tcl")


def unit_names(source):
    """The files of the suite, as its own list of all tests names them."""
    text = (source / "tests" / "test_helper.tcl").read_text()
    names = re.search(r"set ::all_tests \{(.*?)\}", text, re.DOTALL).group(1).split()
    # These start servers of their own and never talk to an external one.
    return [name for name in names if name.startswith("unit/")]
