"""The repository is clean: nothing of one machine, nothing generated, nothing secret, every version pinned."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

_MACHINE = re.compile(r"(^|[^A-Za-z])/(work|root|home|Users)/[a-z]")
_REGISTRY = re.compile(r"registry\.npm" + r"js|pypi\.o" + r"rg|python" + r"hosted|deb\.deb" + r"ian")


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout.decode()
    return [ROOT / name for name in listed.split("\0") if name and (ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    found = []
    for file in tracked():
        try:
            found.append((file, file.read_text(encoding="utf-8")))
        except UnicodeDecodeError:
            continue
    return found


def test_no_file_contains_a_machine_path_or_registry_host() -> None:
    wrong = [
        f"{file.relative_to(ROOT)}:{number}"
        for file, text in texts()
        if file != Path(__file__)
        for number, line in enumerate(text.splitlines(), start=1)
        if _MACHINE.search(line) or _REGISTRY.search(line)
    ]
    assert wrong == []


def test_nothing_generated_is_tracked() -> None:
    generated = re.compile(r"(__pycache__|\.pyc$|\.log$|^reports/run-|^\.world|^\.toolchain|^\.venv|node_modules)")
    names = [str(file.relative_to(ROOT)) for file in tracked()]
    assert len(names) > 100
    assert [name for name in names if generated.search(name)] == []


def test_every_python_package_is_pinned() -> None:
    lines = [line.strip() for line in (ROOT / "requirements.txt").read_text().splitlines()]
    named = [line for line in lines if line and not line.startswith("#")]
    assert named
    assert [line for line in named if not re.fullmatch(r"[A-Za-z0-9._\[\]-]+==[0-9][A-Za-z0-9.]*", line)] == []


def test_the_lock_file_of_the_toolchain_names_no_host_and_holds_directus_11_17_4() -> None:
    lock = json.loads((ROOT / "fixtures/world/toolchain/package-lock.json").read_text())
    packages = lock["packages"]
    assert packages["node_modules/directus"]["version"] == "11.17.4"
    assert packages["node_modules/isolated-vm"]["version"] == "7.0.1"
    assert [name for name, entry in packages.items() if "resolved" in entry] == []
