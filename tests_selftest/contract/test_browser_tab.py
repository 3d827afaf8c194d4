"""A page in a real browser: failures of the project's own hosts, of other hosts, and errors of the page's own."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from unittest.mock import Mock

import pytest

from fixtures.model.delivery import Delivery
from fixtures.operations.code import rollout
from fixtures.process.supervise import Supervisor, free_port
from fixtures.systems.browser.window import Browser
from fixtures.world import toolchain
from fixtures.world.progress import no_progress

PAGE = """<!doctype html><title>A page</title><link rel="stylesheet" href="{fonts}/css?family=Lora">
<h1>Here</h1><script>
fetch('{api}/items/articles?limit=1'); fetch('/missing.json');
{script}
</script>"""


class Host:
    """A host of its own port; every path but "/" answers 403 with CORS."""

    def __init__(self, page: str = "") -> None:
        host = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                found = host.page if self.path == "/" else ""
                self.send_response(200 if found else 403)
                self.send_header("Access-Control-Allow-Origin", "*")
                self.send_header("Content-Type", "text/html; charset=utf-8")
                self.send_header("Content-Security-Policy", host.policy)
                self.end_headers()
                self.wfile.write(found.encode())

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self.page, self.policy = page, ""
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


@pytest.fixture(scope="module")
def hosts() -> Iterator[tuple[Host, Host]]:
    site, api = Host(), Host()
    yield site, api
    for host in (site, api):
        host.server.shutdown()


@pytest.fixture(scope="module")
def browser(hosts: tuple[Host, Host]) -> Iterator[Browser]:
    supervisor = Supervisor("browser-tab")
    tools = toolchain.ensure(toolchain.CACHE, supervisor=supervisor, progress=no_progress)
    with Browser(tools.chromium, own=(hosts[1].url,)) as running:
        yield running
    supervisor.stop_all()


def test_requests_to_other_hosts_are_listed_apart(browser: Browser, hosts: tuple[Host, Host]) -> None:
    site, api = hosts
    fonts = f"http://127.0.0.1:{free_port()}"
    site.page = PAGE.format(fonts=fonts, api=api.url, script="")
    with browser.tab(site.url) as tab:
        visit = tab.open("/")
    assert sorted(visit.failed_requests) == sorted(
        [f"GET {api.url}/items/articles 403", f"GET {site.url}/missing.json 403", f"GET {site.url}/favicon.ico 403"]
    ) or sorted(visit.failed_requests) == sorted(
        [f"GET {api.url}/items/articles 403", f"GET {site.url}/missing.json 403"]
    )
    assert [each.rpartition(" ")[0] for each in visit.other_hosts] == [f"GET {fonts}/css"]
    assert visit.console_errors == ()


def test_an_error_of_the_page_itself_stays_a_console_error(browser: Browser, hosts: tuple[Host, Host]) -> None:
    site, api = hosts
    site.page = PAGE.format(fonts="", api=api.url, script="console.error('Failed to draw'); throw new Error('broken')")
    with browser.tab(site.url) as tab:
        visit = tab.open("/")
    assert {"Failed to draw", "broken"} <= {text.removeprefix("Error: ") for text in visit.console_errors}
    assert visit.other_hosts == ()


def test_a_low_window_without_transitions_is_no_error_of_a_page_with_a_strict_policy(
    browser: Browser, hosts: tuple[Host, Host]
) -> None:
    site, _ = hosts
    site.page, site.policy = "<!doctype html><title>A page</title><h1>Here</h1>", "style-src 'self'"
    with browser.tab(site.url, height=1600) as tab:
        tab.open("/")
        tab.clear_errors()
        tab.draw_little()
        shown = tab.page.evaluate("() => [innerHeight, getComputedStyle(document.body).transitionProperty]")
        assert tab.visit().console_errors == ()
    site.policy = ""
    assert shown == [200, "none"]


COMMIT = "0123456789abcdef0123456789abcdef01234567"
BUILD = (
    '<!doctype html><title>A site</title><link rel="icon" href="data:,"><meta name="commit" content="{}"><h1>Here</h1>'
)


def visited(browser: Browser, host: Host, *, selector: str = "meta[name=commit]", patience_s: float = 0.0) -> list[str]:
    """The codes of 2.3.2 and 2.3.A2 for the page this host gives."""
    delivered = Mock(Delivery, service_url=host.url, commit=COMMIT)
    _, _, findings = rollout.visit_site(
        browser, delivered, arriving=(), directus_url="", commit_selector=selector, patience_s=patience_s
    )
    return [each.code for each in findings]


def test_an_old_build_from_a_cache_is_red(browser: Browser, hosts: tuple[Host, Host]) -> None:
    site, _ = hosts
    for shown in (COMMIT, COMMIT[:7], COMMIT.upper()):
        site.page = BUILD.format(shown)
        assert visited(browser, site) == []
    for shown in ("fedcba9876543210fedcba9876543210fedcba98", "development", "", COMMIT[:6]):
        site.page = BUILD.format(shown)
        assert visited(browser, site) == ["MIG-248"]
    site.page = "<!doctype html><title>A site</title><link rel='icon' href='data:,'>"
    assert visited(browser, site) == ["MIG-248"]
    assert visited(browser, site, selector="") == []


def test_a_cdn_that_gives_the_new_build_some_seconds_later_is_waited_for(
    browser: Browser, hosts: tuple[Host, Host]
) -> None:
    site, _ = hosts
    site.page = BUILD.format("fedcba9876543210fedcba9876543210fedcba98")
    invalidated = threading.Timer(1.5, lambda: setattr(site, "page", BUILD.format(COMMIT)))
    invalidated.start()
    assert visited(browser, site, patience_s=20.0) == []
    invalidated.join()
