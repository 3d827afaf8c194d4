"""What pytest loads; each plugin says in its first line what it is for."""

pytest_plugins = [
    "fixtures.plugins.options",
    "fixtures.plugins.gating",
    "fixtures.plugins.going_back",
    "fixtures.plugins.recording",
    "fixtures.plugins.opening",
    "fixtures.plugins.rerun",
    "fixtures.plugins.listing",
    "fixtures.plugins.handles",
    "fixtures.plugins.way_back",
    "fixtures.plugins.site",
    "fixtures.plugins.repositories",
    "fixtures.plugins.deliveries",
    "fixtures.plugins.redacting",
    "fixtures.plugins.reporting",
    "fixtures.plugins.closing",
    "pytester",  # for tests_selftest/gating: pytest takes it from here only
]
