"""Secrets are seen in changes, ordinary code is not taken for one, and no finding repeats a secret."""

from __future__ import annotations

import pytest

from fixtures.checks.code import gitignore, leaks
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
