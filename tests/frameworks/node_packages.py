# SPDX-License-Identifier: Apache-2.0
"""The npm packages of a folder's package-lock.json, installed beside a copy of its programs in build/.

Node.js looks for packages in the folders above a program, and none of them may lie in the source.
"""
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE = HERE / "node"
FOLDER = HERE.parent.parent / "build" / "frameworks" / "node"
INSTALL_SECONDS = 300
TRIES = 2


class InstallError(Exception):
    """No Node.js, no npm, no registry, or a lock file that names other places."""


def check_lock(source):
    """Everything comes from the registry that npm is set to, and has a checksum."""
    lock = json.loads((source / "package-lock.json").read_text(encoding="utf-8"))
    for path, entry in lock["packages"].items():
        if path and ("resolved" in entry or "integrity" not in entry):
            raise InstallError(f"package-lock.json: {path} does not come from the registry alone")


def install(source=SOURCE, folder=FOLDER):
    """Copies the programs, and installs the packages when the lock file has changed."""
    check_lock(source)
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise InstallError(f"{tool} is missing (./dev setup test)")
    folder.mkdir(parents=True, exist_ok=True)
    for path in source.iterdir():
        shutil.copy(path, folder / path.name)
    mark = folder / "installed"
    wanted = hashlib.sha256((source / "package-lock.json").read_bytes()).hexdigest()
    if mark.exists() and mark.read_text() == wanted:
        return
    mark.unlink(missing_ok=True)
    run_npm(folder)
    mark.write_text(wanted)


def run_npm(folder):
    for attempt in range(TRIES):
        try:
            done = subprocess.run(["npm", "ci", "--omit=dev"], cwd=folder, stdin=subprocess.DEVNULL,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                  timeout=INSTALL_SECONDS, check=False)
        except subprocess.TimeoutExpired:
            continue
        if done.returncode == 0:
            return
        if attempt == TRIES - 1:
            raise InstallError(f"npm ci: {done.stdout.strip()[-800:]}")
    raise InstallError(f"npm ci takes more than {INSTALL_SECONDS} s")


if __name__ == "__main__":
    install()
