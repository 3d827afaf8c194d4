"""A shortened list of exports leads every name where the long one led it, and is left alone where it is short."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fixtures.world.compact_exports import MIN_ALIKE_EXPORTS, compact, compact_manifests, copy

ROOT = Path(__file__).resolve().parents[2]


def target(name: str) -> dict[str, Any]:
    return {"require": {"default": f"./{name}.cjs"}, "import": {"types": f"./{name}.d.ts", "default": f"./{name}.js"}}


REGULAR = {
    f"./{name}": target(name) for name in ("add", "fp/add", *(f"n{number}" for number in range(MIN_ALIKE_EXPORTS)))
}
SINGULAR = {".": target("index"), "./package.json": "./package.json", "./odd": "./elsewhere.js"}


def led(exports: dict[str, Any], name: str) -> Any:
    """Where Node goes: by name, else by the pattern with the name in the place of each star."""
    if name in exports:
        return exports[name]
    return json.loads(json.dumps(exports["./*"]).replace("*", name.removeprefix("./")))


def test_every_name_leads_where_it_led() -> None:
    long = {**SINGULAR, **REGULAR}
    short = compact(long)
    assert set(short) == {*SINGULAR, "./*"}
    assert {name: led(short, name) for name in long} == long


def test_a_short_list_and_one_with_a_pattern_of_its_own_are_left_as_they_are() -> None:
    few = dict(list(REGULAR.items())[: MIN_ALIKE_EXPORTS - 1])
    assert compact(few) == few
    own = {**REGULAR, "./*": "./own/*.js"}
    assert compact(own) == own
    assert compact({}) == {}


def test_the_rest_of_the_manifest_stays(tmp_path: Path) -> None:
    compact_manifests(tmp_path)  # nothing installed, nothing done
    folder = tmp_path / "date-fns"
    folder.mkdir()
    exports = {**SINGULAR, **REGULAR}
    told = {"name": "date-fns", "version": "4.1.0", "type": "module", "exports": exports}
    (folder / "package.json").write_text(json.dumps(told))
    compact_manifests(tmp_path)
    now = json.loads((folder / "package.json").read_text())
    assert now == {**told, "exports": {**SINGULAR, "./*": target("*")}}


def test_the_copy_is_shorter_and_the_original_stays_as_npm_brought_it(tmp_path: Path) -> None:
    """They share every other file, so the one that differs must not be written where it lies."""
    modules, copied = tmp_path / "npm" / "node_modules", tmp_path / "brief" / "node_modules"
    (modules / "date-fns").mkdir(parents=True)
    (modules / "other").mkdir()
    (modules / "other" / "cli.js").write_text("x")
    (modules / ".bin").mkdir()
    (modules / ".bin" / "other").symlink_to("../other/cli.js")
    long = json.dumps({"name": "date-fns", "exports": {**SINGULAR, **REGULAR}})
    (modules / "date-fns" / "package.json").write_text(long)
    copy(modules, copied)
    assert (modules / "date-fns" / "package.json").read_text() == long
    assert set(json.loads((copied / "date-fns" / "package.json").read_text())["exports"]) == {*SINGULAR, "./*"}
    assert (copied / "other" / "cli.js").samefile(modules / "other" / "cli.js")
    assert (copied / ".bin" / "other").resolve() == copied / "other" / "cli.js"


def test_only_the_self_tests_ask_for_it() -> None:
    """No command of the Makefile, no plugin and no other program of this repository sets the variable or names it."""
    asking = {
        str(file.relative_to(ROOT))
        for file in [ROOT / "Makefile", ROOT / "conftest.py", ROOT / ".env.example", *ROOT.glob("*.ini"),
                     *(ROOT / "fixtures").rglob("*.py"), *(ROOT / "phases").rglob("*.py"),
                     *(ROOT / "tests_selftest").rglob("*.py")]
        if file != Path(__file__) and "COMPACT_EXPORTS" in file.read_text("utf-8")
    }  # fmt: skip
    assert asking == {
        "fixtures/world/compact_exports.py", "fixtures/world/toolchain.py", "tests_selftest/conftest.py",
    }  # fmt: skip
