"""Secrets are seen in changes, ordinary code is not taken for one, and no finding repeats a secret."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from fixtures.checks.code import gitignore, leaks, secret_forms
from fixtures.model.review import AddedLine, ChangedFile

# Put together here, so that no scanner of repositories takes this file for a leak.
BAD = {
    "config.py": "password = '" + "Tr0ub4dor" + "&3xyzzy'",
    "settings.env": "DB_PASSWORD=" + "s9Kd02mfQ1z",
    "deploy.sh": "curl https://admin:" + "hunter2secret" + "@example.org/",
    "keys.js": "const key = 'AKIA" + "IOSFODNN7EXAMPL2'",
    "id.txt": "-----BEGIN RSA " + "PRIVATE KEY-----",
    "gh.yml": "token: ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8",
}
GOOD = {
    "directus.js": "session = await signIn(given.get('email'), given.get('password'));",
    "form.js": "h('input', { name: 'password', type: 'password', required: true })",
    "env.example": "DB_PASSWORD=",
    ".env.sample": "ADMIN_TOKEN=<token of an administrator>",
    "auth.js": "if (session) headers.Authorization = `Bearer ${session.token}`;",
    "page.css": ".amendments-list > li { display: grid; grid-template-columns: 8rem 1fr; }",
}


@pytest.mark.parametrize("path", BAD)
def test_a_secret_in_a_change_is_found_and_not_repeated(path: str) -> None:
    findings = leaks.find_secrets([AddedLine(path, 7, BAD[path])])
    assert [finding.code for finding in findings] == ["MIG-108"]
    assert findings[0].where == f"{path} line 7"
    for word in BAD[path].split():
        assert len(word) < 12 or word not in str(findings[0])


def test_ordinary_code_about_passwords_is_no_secret() -> None:
    assert leaks.find_secrets([AddedLine(path, 1, text) for path, text in GOOD.items()]) == []


def test_a_credential_of_this_migration_is_found_whatever_it_looks_like() -> None:
    findings = leaks.find_secrets([AddedLine("notes.md", 3, "ask for plainword tomorrow")], known=["plainword"])
    assert len(findings) == 1
    assert "plainword" not in str(findings[0])


def test_the_scanner_is_alive() -> None:
    assert leaks.scanner_works()


def test_a_pragma_is_counted() -> None:
    lines = [AddedLine("a.py", 4, BAD["config.py"] + "  # pragma: allowlist secret"), AddedLine("a.py", 5, "x = 1")]
    assert leaks.find_secrets(lines) == []
    assert leaks.allowlisted_lines(lines) == ("a.py:4",)


def test_an_added_line_does_not_show_its_text() -> None:
    assert BAD["config.py"] not in repr(AddedLine("config.py", 1, BAD["config.py"]))


@pytest.mark.parametrize(
    ("path", "bad"),
    [
        (".env", True),
        ("api/.env.production", True),
        ("certs/site.pem", True),
        ("migration/data/users.json", True),
        ("backups/production.dump", True),
        (".env.example", False),
        ("src/env.js", False),
        ("src/migration.js", False),
    ],
)
def test_files_that_must_not_be_pushed(path: str, bad: bool) -> None:
    assert bool(leaks.sensitive_files([ChangedFile(path, "added", 1, 0, "")])) is bad


def test_deleting_a_sensitive_file_is_welcome() -> None:
    assert leaks.sensitive_files([ChangedFile(".env", "deleted", 0, 3, "")]) == []


def test_gitignore_is_judged_by_effect() -> None:
    findings = gitignore.not_ignored("pixelsock/udo-backend", {".env": True, "migration/": False})
    assert [finding.code for finding in findings] == ["MIG-103"]
    assert "migration/" in findings[0].sentence
    assert [f.code for f in gitignore.already_tracked("pixelsock/fuma", ["node_modules/"])] == ["MIG-104"]


def test_gitignore_gets_only_the_missing_lines_once() -> None:
    once = gitignore.append_entries("node_modules/\nmigration/", gitignore.WORKING_DOCUMENTS)
    assert once == "node_modules/\nmigration/\nbackups/\n"
    assert gitignore.append_entries(once, gitignore.WORKING_DOCUMENTS) == once


SHA1, SHA256, SHA512 = (hashlib.new(name, b"a package") for name in ("sha1", "sha256", "sha512"))
SRI = base64.b64encode(SHA512.digest()).decode()
LOCKED = {
    "package-lock.json": [
        f'      "integrity": "sha512-{SRI}",',
        '      "resolved": "https://registry.example.org/@scope/name/-/name-1.2.3.tgz",',
        f'      "resolved": "git+ssh://git@github.com/owner/name.git#{SHA1.hexdigest()}",',
    ],
    "web/npm-shrinkwrap.json": [f'"integrity": "sha1-{base64.b64encode(SHA1.digest()).decode()}"'],
    "pnpm-lock.yaml": [
        f"    resolution: {{integrity: sha512-{SRI}}}",
        f"    resolution: {{integrity: 'sha512-{SRI}'}}",
    ],
    "yarn.lock": [
        f'  resolved "https://registry.example.org/name/-/name-1.2.3.tgz#{SHA1.hexdigest()}"',
        f"  integrity sha512-{SRI}",
        f'  checksum: "10c0/{SHA512.hexdigest()}"',
    ],
    "bun.lock": [f'    "name": ["name@1.2.3", "", {{}}, "sha512-{SRI}"],'],
    "poetry.lock": [
        f'    {{file = "name-1.2.3.tar.gz", hash = "sha256:{SHA256.hexdigest()}"}},',
        f'content-hash = "{SHA256.hexdigest()}"',
        f'resolved_reference = "{SHA1.hexdigest()}"',
    ],
    "uv.lock": [f'sdist = {{ url = "https://files.example.org/name.tar.gz", hash = "sha256:{SHA256.hexdigest()}" }}'],
    "Pipfile.lock": [f'                "sha256:{SHA256.hexdigest()}"'],
    "composer.lock": [
        f'    "content-hash": "{SHA1.hexdigest()[:32]}",',
        f'                "reference": "{SHA1.hexdigest()}"',
        f'                "url": "https://api.example.org/repos/owner/name/zipball/{SHA1.hexdigest()}",',
        f'                "shasum": "{SHA1.hexdigest()}"',
    ],
    "Cargo.lock": [
        f'checksum = "{SHA256.hexdigest()}"',
        f'source = "git+https://example.org/a?rev=x#{SHA1.hexdigest()}"',
    ],
    "go.sum": [f"example.org/name v1.2.3 h1:{base64.b64encode(SHA256.digest()).decode()}"],
}
LOCKED_CREDENTIALS = {
    "package-lock.json": '"resolved": "https://reader:' + "s3cr3tw0rd" + '@npm.example.org/name/-/name-1.2.3.tgz"',
    "pnpm-lock.yaml": "tarball: https://" + "a1b2c3d4e5f6a7b8" + "@npm.example.org/name-1.2.3.tgz",
    "yarn.lock": '  resolved "https://npm.example.org/name.tgz?access_token=' + 'a1b2c3d4e5f6"',
    "poetry.lock": 'url = "https://__token__:' + "pypiword9" + '@pypi.example.org/simple"',
    "composer.lock": '"url": "https://repo.example.org/name.zip?token=' + 'a1b2c3d4e5f6"',
    "Cargo.lock": 'source = "git+https://x-access-token:' + "ghword12345" + '@example.org/owner/name"',
}


@pytest.mark.parametrize("path", LOCKED)
def test_the_digests_of_a_lock_file_are_no_secrets(path: str) -> None:
    lines = [AddedLine(path, number, text) for number, text in enumerate(LOCKED[path], 1)]
    assert leaks.find_secrets(lines) == []


@pytest.mark.parametrize("path", LOCKED_CREDENTIALS)
def test_credentials_in_an_address_of_a_lock_file_are_found(path: str) -> None:
    findings = leaks.find_secrets([AddedLine(path, 4, LOCKED_CREDENTIALS[path])])
    assert [(finding.code, finding.where) for finding in findings] == [("MIG-108", f"{path} line 4")]


def test_a_key_beside_a_digest_is_found_in_a_lock_file() -> None:
    planted = f'"integrity": "sha512-{SRI}", "key": "AKIA' + 'IOSFODNN7EXAMPL2"'
    assert len(leaks.find_secrets([AddedLine("package-lock.json", 9, planted)])) == 1


# Obviously none: no service would give out such values.
FAKE = "Fake0" + "Fake1Fake2Fake3Fake4Fake5Fake6"
SHORT = FAKE[:15]
FORMS = {
    "render.yaml": [
        f"    databasePassword: {SHORT}",
        f"      - key: ADMIN_TOKEN\n        value: {SHORT}",
        f'      - key: SMTP_PASSWORD\n        value: "{SHORT}"',
    ],
    "docker-compose.yml": [f"      KEY: {SHORT}", f"      - DB_PASSWORD={SHORT}", f"      SECRET: '{SHORT}'"],
    "settings.toml": [f'token = "{SHORT}"', f'license_key = "{SHORT}"', f"secret-key = '{SHORT}'"],
    "settings.json": [
        f'  "licenseKey": "{SHORT}",',
        f'  "access_key": "{SHORT}"',
        f'{{"auth": {{"token": "{SHORT}"}}}}',
    ],
    "src/client.ts": [
        f"token: '{SHORT}',",
        f"export const LICENSE_KEY = `{SHORT}`;",
        f"headers: {{ Authorization: 'Bearer {FAKE}' }},",
        f"await fetch('https://api.example.org/items?access_token={FAKE}')",
    ],
    "src/client.js": [f"const accessKey = '{SHORT}'", f"new Client({{ clientSecret: '{SHORT}' }})"],
    "api.env": [f"KEY={SHORT}", f"LICENSE_KEY={SHORT}", f"export SMTP_PASS={SHORT}", f"STORAGE_S3_KEY={SHORT}"],
    ".npmrc": [f"//registry.example.org/:_authToken={FAKE}"],
    "notes.md": [
        "AGE-SECRET-KEY-1" + "FAKE" * 14,
        f"rnd_{FAKE}",
        f"gho_{FAKE}",
        f"github_pat_{FAKE}_{FAKE}",
        f"npm_{FAKE}",
        f"curl -H 'Authorization: Bearer {FAKE}' https://api.example.org",
    ],
}
NO_FORMS = {
    "render.yaml": [
        "      - key: ADMIN_TOKEN\n        sync: false", "      - key: SECRET\n        generateValue: true",
        "      - key: NODE_VERSION\n        value: 22.14.0", "      - key: API_KEY\n        value: ${API_KEY}",
        "    password: ${{ secrets.DB_PASSWORD }}", "key: title", "sort_key: date_created", "cache_key: page-v12-list",
    ],
    "settings.json": [
        '"key": "chapters"', '"primary_key": "id"', '"tokens": 12', '"key": "0b1c2d3e-1111-4111-8111-000000000001"',
    ],
    "src/client.ts": [
        "token: process.env.ADMIN_TOKEN,", "const token = await login(email, password1);", "key: 'chapter-list-2024',",
        "const publicKey = 'pk0Fake1Fake2Fake3';", "headers: { Authorization: `Bearer ${token}` },", "key={item.id}",
        "fetch(`/items?access_token=${token}`)", "const passwordInput = '#password-field-1';",
        "queryKey: ['articles', id1]",
    ],
    "api.env": ["KEY=", "SECRET=replace-with-32-random-bytes", "TOKEN=<your token 1>", "PUBLIC_KEY=Fake0Fake1Fake2"],
    "notes.md": ["Send `Authorization: Bearer <token>`.", "?token=…", "the key of age begins with AGE-SECRET-KEY-1…"],
}  # fmt: skip


def found_in(path: str, text: str) -> list[str]:
    lines = [AddedLine(path, number, each) for number, each in enumerate(text.split("\n"), 1)]
    findings = leaks.find_secrets(lines)
    assert all(FAKE[:12] not in str(each) for each in findings), "a finding repeats the secret"
    return [each.code for each in findings]


@pytest.mark.parametrize(("path", "text"), [(path, text) for path, texts in FORMS.items() for text in texts])
def test_a_secret_is_seen_in_every_form_a_project_writes_it(path: str, text: str) -> None:
    assert found_in(path, text) == ["MIG-108"]


@pytest.mark.parametrize(("path", "text"), [(path, text) for path, texts in NO_FORMS.items() for text in texts])
def test_what_only_resembles_a_secret_is_none(path: str, text: str) -> None:
    lines = [AddedLine(path, number, each) for number, each in enumerate(text.split("\n"), 1)]
    assert list(secret_forms.forms(lines)) == []


def test_a_form_may_be_excused_by_pragma_as_any_other() -> None:
    line = AddedLine("docker-compose.yml", 1, f"      KEY: {SHORT} # pragma: allowlist secret")
    assert leaks.find_secrets([line]) == []


def test_the_sources_of_the_sample_projects_hold_no_form() -> None:
    """The rehearsal's two projects and this suite's own code and pages: no false alarm."""
    root = Path(__file__).resolve().parents[2]
    files = [
        path
        for folder in ("fixtures", "docs", "phases")
        for path in (root / folder).rglob("*")
        if path.suffix in {".py", ".md", ".js", ".mjs", ".json", ".toml", ".html", ".css", ".yaml"}
    ]
    lines = [
        AddedLine(str(path.relative_to(root)), number, text)
        for path in files
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
    ]
    assert len(lines) > 50_000
    assert [(line.path, line.number, kind) for line, kind in secret_forms.forms(lines)] == []
