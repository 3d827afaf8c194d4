"""Looks for secrets in every kind of file a migration leaves, as they are and in the encodings they travel in."""

from __future__ import annotations

import base64
import gzip
import html
import io
import json
import tarfile
import zlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, quote_plus

_GZIP = b"\x1f\x8b"


def leaks(files: Iterable[Path], secrets: Mapping[str, str]) -> list[tuple[str, str, str]]:
    """(file, name of the secret, form) for each secret in each file; a member of an archive is "file!member"."""
    wanted = [(name, form, text) for name, secret in secrets.items() for form, text in forms(secret).items()]
    return [
        (place, name, form)
        for file in files
        for place, content in _contents(str(file), file.read_bytes())
        for name, form, text in wanted
        if text in content
    ]


def forms(secret: str) -> dict[str, bytes]:
    """How a secret may stand in a file; within other text in base64, it does in one of three ways."""
    raw = secret.encode()
    found = {
        "raw": raw,
        "URL": quote(secret, safe="").encode(),
        "form": quote_plus(secret).encode(),
        "JSON": json.dumps(secret)[1:-1].encode(),
        "HTML": html.escape(secret).encode(),
        "hex": raw.hex().encode(),
    }
    for before in range(3):
        encoded = base64.b64encode(bytes(before) + raw)
        inner = encoded[(0, 2, 3)[before] : len(encoded) - (4 if (before + len(raw)) % 3 else 0)]
        found[f"base64 after {before}"] = inner
        found[f"base64url after {before}"] = inner.translate(bytes.maketrans(b"+/", b"-_"))
    return {form: text for form, text in found.items() if form == "raw" or text != raw}


def _contents(place: str, content: bytes) -> Iterator[tuple[str, bytes]]:
    yield place, content
    if not content.startswith(_GZIP):
        return
    try:
        inner = gzip.decompress(content)
    except (OSError, EOFError, zlib.error):
        return
    yield place, inner
    try:
        with tarfile.open(fileobj=io.BytesIO(inner)) as archive:
            for member in archive:
                stream = archive.extractfile(member) if member.isfile() else None
                if stream is not None:
                    yield from _contents(f"{place}!{member.name}", stream.read())
    except tarfile.TarError:
        return
