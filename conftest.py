"""What pytest loads; each plugin says in its first line what it is for."""

pytest_plugins = [
    "fixtures.plugins.options",
    "fixtures.plugins.gating",
    "fixtures.plugins.rollback",
    "fixtures.plugins.recording",
    "fixtures.plugins.session_start",
    "fixtures.plugins.rerun",
    "fixtures.plugins.runbook_listing",
    "fixtures.plugins.handles",
    "fixtures.plugins.backup_guard",
    "fixtures.plugins.site",
    "fixtures.plugins.repositories",
    "fixtures.plugins.deliveries",
    "fixtures.plugins.redaction",
    "fixtures.plugins.reporting",
    "fixtures.plugins.terminal_summary",
    "fixtures.plugins.garbage_collection",
    "pytester",  # for tests_selftest/gating: pytest takes it from here only
]
