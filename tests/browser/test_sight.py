"""What is wrong with a page is seen: each fault once, on a page that has that one alone."""

import http.server
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from playwright.sync_api import Browser

from browser.sight import HEADERS, PHONES, Counted, Look, window

SOUND: Final = """<!doctype html><html lang="en" data-theme="light"><head><meta charset="utf-8"><title>Sound</title>
<meta name="viewport" content="width=device-width"><link rel="icon" href="/one.js">{head}</head>
<body><main><h1>Sound</h1>{body}</main></body></html>"""


class Pages(http.server.ThreadingHTTPServer):
    """Serves one page everywhere but at /missing; as a script or style sheet what is given as such."""

    daemon_threads = True

    def __init__(self, page: str, script: str, headers: dict[str, str]) -> None:
        self.page = page
        self.script = script
        self.headers = headers
        super().__init__(("127.0.0.1", 0), _Answering)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Answering(http.server.BaseHTTPRequestHandler):
    server: Pages

    def do_GET(self) -> None:
        type_ = {"/one.js": "text/javascript", "/one.css": "text/css"}.get(self.path)
        data = (self.server.page if type_ is None else self.server.script).encode()
        self.send_response_only(404 if self.path.startswith("/missing") else 200)
        for name, value in self.server.headers.items():
            self.send_header(name, type_ if type_ is not None and name == "content-type" else value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the library's own name
        pass


@contextmanager
def serving(head: str = "", body: str = "", script: str = "", page: str = SOUND, **headers: str) -> Iterator[str]:
    """Serve a page until the block ends."""
    named = HEADERS | {name.replace("_", "-"): value for name, value in headers.items()}
    with Pages(page.format(head=head, body=body), script, named) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.url
        finally:
            server.shutdown()
            thread.join()


def test_a_page_that_is_sound_is_let_pass(chromium: Browser) -> None:
    found = Counted()
    with serving(body="<p>Well</p>") as url, window(chromium, url, found) as eyes:
        eyes.look_at("/one")
        eyes.look_at("/two?as_of=1")
        eyes.look_at("/missing", status=404)
        assert [eyes.width_beyond(size) for size in PHONES] == [None, None]
    assert found.line() == "pages 3, axe 0, console 0, foreign requests 0"


SCRIPT: Final = '<script src="/one.js"></script>'


@pytest.mark.parametrize(
    ("made", "kind", "told"),
    [
        ({"head": SCRIPT, "script": "console.error('no good')"}, "console", "error: no good"),
        ({"head": SCRIPT, "script": "console.warn('not so good')"}, "console", "warning: not so good"),
        ({"head": SCRIPT, "script": "nothing.is = 1"}, "console", "uncaught: nothing is not defined"),
        ({"head": SCRIPT, "script": "Promise.reject(new Error('lost'))"}, "console", "uncaught: lost"),
        ({"head": "<script>1</script>"}, "console", "Content Security Policy directive 'script-src 'self''"),
        ({"body": '<p style="color: red">Red</p>'}, "console", "Content Security Policy directive 'style-src 'self''"),
        ({"body": '<img alt="" src="http://elsewhere.invalid/a.png">'}, "console", "Content Security Policy directive"),
        ({"body": '<img alt="" src="/missing">'}, "console", "error: Failed to load resource"),
        ({"body": '<a href="/x"></a>'}, "axe", "link-name"),
        ({"body": "<table><tr><th></th></tr></table>"}, "axe", "empty-table-header"),
    ],
)
def test_a_fault_is_seen(chromium: Browser, made: dict[str, str], kind: str, told: str) -> None:
    found = Counted()
    with serving(**made) as url, window(chromium, url, found) as eyes:
        eyes.visit("/faulty")
        if kind == "axe":
            eyes.check_with_axe("/faulty")
    assert any(told in one for one in getattr(found, kind)), found


def test_a_request_to_elsewhere_is_seen(chromium: Browser) -> None:
    found = Counted()
    with (
        serving() as other,
        serving(body=f'<a href="{other}/there">There</a>') as url,
        window(chromium, url, found) as eyes,
    ):
        eyes.visit("/here")
        eyes.page.get_by_role("link").click()
        eyes.page.wait_for_url(f"{other}/there")
    assert found.foreign[0] == f"/here (en-light): GET {other}/there"


def test_colours_that_are_hard_to_read_are_seen(chromium: Browser) -> None:
    found = Counted()
    faint = "p { color: #999; background: #aaa }"
    with (
        serving(head='<link rel="stylesheet" href="/one.css">', body="<p>Faint</p>", script=faint) as url,
        window(chromium, url, found) as eyes,
    ):
        eyes.look_at("/faint")
    assert [one.partition(";")[0] for one in found.axe] == [
        "/faint (en-light): color-contrast: Elements must meet minimum color contrast ratio thresholds"
    ]


@pytest.mark.parametrize(
    ("page", "headers"),
    [
        (SOUND.replace('lang="en"', 'lang="zh-CN"'), {}),
        (SOUND.replace('data-theme="light"', ""), {}),
        (SOUND.replace("<title>Sound</title>", ""), {}),
        (SOUND.replace("h1>", "h2>"), {}),
        (SOUND.replace("<main>", '<main id="a"><p id="a"></p>'), {}),
        (SOUND, {"content_security_policy": "default-src 'self'"}),
        (SOUND, {"referrer_policy": "origin"}),
        (SOUND, {"content_type": "text/html"}),
    ],
)
def test_a_page_of_another_form_is_refused(chromium: Browser, page: str, headers: dict[str, str]) -> None:
    with (
        serving(page=page, **headers) as url,
        window(chromium, url, Counted()) as eyes,
        pytest.raises(AssertionError, match="/other"),
    ):
        eyes.look_at("/other")


def test_another_status_is_refused(chromium: Browser) -> None:
    with serving() as url, window(chromium, url, Counted()) as eyes:
        with pytest.raises(AssertionError, match="/missing"):
            eyes.visit("/missing")
        with pytest.raises(AssertionError, match="/there"):
            eyes.visit("/there", status=404)


def test_another_language_than_the_windows_is_refused(chromium: Browser) -> None:
    with (
        serving() as url,
        window(chromium, url, Counted(), Look("zh", "light")) as eyes,
        pytest.raises(AssertionError, match="/english"),
    ):
        eyes.look_at("/english")


def test_what_is_wider_than_a_phone_is_seen_and_what_scrolls_by_itself_is_not(chromium: Browser) -> None:
    wide = "<pre>" + "wide " * 100 + "</pre>"
    with serving(body=wide) as url, window(chromium, url, Counted()) as eyes:
        eyes.visit("/wide")
        told = eyes.width_beyond(PHONES[0])
        assert told is not None
        assert "<pre>" in told
    with serving(body=f'<iframe srcdoc="{wide}"></iframe>') as url, window(chromium, url, Counted()) as eyes:
        eyes.page.goto(f"{url}/scrolled")
        assert eyes.width_beyond(PHONES[0]) is None
