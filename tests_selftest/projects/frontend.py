"""
A plain site for any project: a front page with counts, and a list for each collection it is told to show.

The parts that send requests and draw are those of the rehearsal's own site. The npm lock file is generated: it holds
one digest for each package, as every real one does, and the working copy has a newer one than the last commit.
"""

from __future__ import annotations

import atexit
import base64
import hashlib
import json
import shutil
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fixtures.world.working_copies import FRONTEND, Commit, Project

_SHARED = ("build.mjs", "gitignore", "src/html.js", "src/directus.js", "src/parts.js", "src/favicon.svg",
           "src/styles/base.css", "src/styles/layout.css", "src/styles/parts.css")  # fmt: skip
_AUTHOR = "Robin Doe <robin@example.org>"
_PAGE_SIZE = 50

_INDEX = """\
<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <meta name="viewport" content="width=device-width, initial-scale=1">
  <meta name="commit" content="%COMMIT%">
  <title>A site</title>
  <link rel="icon" href="favicon.svg" type="image/svg+xml">
  <link rel="stylesheet" href="styles/base.css">
  <link rel="stylesheet" href="styles/layout.css">
  <link rel="stylesheet" href="styles/parts.css">
  <script type="module" src="main.js"></script>
</head>
<body>
  <main id="main" tabindex="-1" data-state="loading"></main>
</body>
</html>
"""

_MAIN = """\
// The front page with one count for each collection, and a list for each of them.
import { count, list } from './directus.js';
import { h } from './html.js';
import { pages } from './pages.js';
import { itemList, pageHead, pageNumber, pager } from './parts.js';

const main = document.querySelector('#main');

async function home() {
  const tiles = await Promise.all(pages.map(async ({ collection }) => {
    const number = await count(collection);
    return h('li', { data: { tally: collection, count: number } }, h('a', { href: `#/${collection}` }, collection));
  }));
  return h('div', {}, pageHead({ title: 'Home' }), h('ul', { class: 'tiles' }, tiles));
}

async function listing({ collection, key, fields, size }, route) {
  const page = pageNumber(route);
  const found = await list(collection, { fields: [key, ...fields].join(','), sort: key, limit: size, page });
  const items = found.items.map((item) => ({ ...item, id: item[key] }));
  return h('div', {}, pageHead({ title: collection }),
    itemList(collection, found.count, items, (item) => h('p', {}, fields.map((name) => item[name] ?? '').join(' '))),
    pager(route, page, size, found.count));
}

async function show() {
  const [path, query = ''] = (location.hash.slice(1) || '/').split('?');
  const route = { path, query: new URLSearchParams(query) };
  main.dataset.state = 'loading';
  try {
    const page = pages.find(({ collection }) => path === `/${collection}`);
    main.replaceChildren(await (page ? listing(page, route) : home()));
    main.dataset.state = 'ready';
  } catch (error) {
    main.replaceChildren(h('p', { role: 'alert' }, error.message));
    main.dataset.state = 'failed';
  }
}

addEventListener('hashchange', show);
show();
"""


@dataclass(frozen=True)
class ShownCollection:
    """
    One collection the site lists.

    Attributes:
        fields: Text columns that must be readable for each item.
        since: "old" when production has the collection before the migration.
    """

    collection: str
    key: str = "id"
    fields: tuple[str, ...] = ()
    since: str = "new"


@dataclass
class Site:
    """The repository of a site and its map, written into a temporary folder at the first use."""

    name: str
    shown: tuple[ShownCollection, ...]
    _folder: Path | None = field(default=None, repr=False)

    @property
    def project(self) -> Project:
        commits = (Commit("A site that lists what Directus has", _AUTHOR, "2025-03-01T10:00:00+00:00", ()),)
        return Project(self.folder, f"owner/{self.name}-site", "main", commits, ())

    @property
    def map(self) -> Path:
        return self.folder / "site.toml"

    @property
    def folder(self) -> Path:
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="site-"))
            atexit.register(shutil.rmtree, self._folder, ignore_errors=True)
            self._write(self._folder)
        return self._folder

    def _write(self, folder: Path) -> None:
        published, local = folder / "published", folder / "local"
        for name in _SHARED:
            _put(published / name, (FRONTEND.folder / "published" / name).read_text("utf-8"))
        _put(published / "src/index.html", _INDEX)
        _put(published / "src/main.js", _MAIN)
        _put(published / "src/pages.js", _pages([one for one in self.shown if one.since == "old"]))
        _put(local / "src/pages.js", _pages(self.shown))
        for tree, count in ((published, 40), (local, 300)):
            _put(tree / "package.json", json.dumps(_package(self.name, count), indent=2) + "\n")
            _put(tree / "package-lock.json", json.dumps(_lock(self.name, count), indent=2) + "\n")
        _put(self.map, _site_map(self.shown))


def _put(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def _pages(shown: Any) -> str:
    pages = [
        {"collection": one.collection, "key": one.key, "fields": list(one.fields), "size": _PAGE_SIZE} for one in shown
    ]
    return f"export const pages = {json.dumps(pages, indent=2)};\n"


def _package(name: str, version: int) -> dict[str, Any]:
    return {"name": name, "version": f"1.{version}.0", "private": True, "type": "module"}


def _lock(name: str, packages: int) -> dict[str, Any]:
    def entry(number: int) -> dict[str, str]:
        digest = hashlib.sha512(f"{name} {number}".encode()).digest()
        return {
            "version": f"1.0.{number}",
            "resolved": f"https://registry.example.org/part-{number}/-/part-{number}-1.0.{number}.tgz",
            "integrity": f"sha512-{base64.b64encode(digest).decode()}",
        }

    modules = {f"node_modules/part-{number}": entry(number) for number in range(packages)}
    return {"name": name, "lockfileVersion": 3, "packages": {"": {"name": name}, **modules}}


def _site_map(shown: tuple[ShownCollection, ...]) -> str:
    text = '[site]\nready = "main[data-state=ready]"\nfailed = "main[data-state=failed]"\n'
    text += 'commit = "meta[name=commit]"\nnext_page = "a[rel=next]"\n'
    for one in shown:
        text += (
            f'\n[[pages]]\npath = "/#/{one.collection}"\ntitle = "{one.collection}"\ncollection = "{one.collection}"\n'
            f'list = "[data-list={one.collection}]"\nitem = "[data-item={one.collection}]"\npage_size = {_PAGE_SIZE}\n'
            f'shows = {json.dumps(list(one.fields))}\nsince = "{one.since}"\n'
        )
    for number in range(3):
        one = shown[number % len(shown)]
        text += (
            f'\n[[workflows]]\nname = "A visitor comes to {one.collection}, {number + 1}"\nsince = "{one.since}"\n'
            f'steps = [\n  {{ open = "/#/" }},\n  {{ click = "a[href=\'#/{one.collection}\']" }},\n'
            f'  {{ count = "[data-item={one.collection}]", equals_count_of = "[data-list={one.collection}]" }},\n]\n'
        )
    return text + '\n[[plain]]\npath = "/#/"\nvisible = ["h1"]\ncounters = { item = "[data-tally]" }\nsince = "old"\n'
