"""What scripts add to pages that work without them: a chart is read out, the next rows come in place, keys are off."""

from datetime import date, timedelta
from typing import Final

from browser.conftest import Windows
from browser.sight import HEADERS, LOOKS
from tallystick.web.charts import Layer, Told, burn_down

FIRST: Final = date(2026, 1, 1)
DAYS: Final = [(FIRST + timedelta(10 * number), 1_000 - 100 * number) for number in range(11)]


def page_with_a_chart() -> str:
    """A burn-down of 100 days and the table beside it, as pages have them."""
    told, layers = Told("Left, by day", "It falls."), [Layer("left", "available", DAYS)]
    chart = burn_down(told, layers, since=FIRST, until=DAYS[-1][0], amount=str, day=str)
    rows = "".join(
        f'<tr><th scope="row"><time datetime="{day}">{day}</time></th><td data-label="left">{left}</td></tr>'
        for day, left in DAYS
    )
    return (
        '<!doctype html><html lang="en"><title>x</title><link rel="stylesheet" href="/static/site.css">'
        '<script type="module" src="/static/site.js"></script><main><h1>x</h1><figure class="chart">'
        f"{chart}<details><summary>x</summary><table><tbody>{rows}</tbody></table></details></figure></main></html>"
    )


def test_the_pointer_and_the_arrow_keys_read_a_charts_table_out(open_window: Windows) -> None:
    with open_window(LOOKS[0]) as eyes:
        page = eyes.page
        page.route("**/chart", lambda route: route.fulfill(body=page_with_a_chart(), headers=HEADERS))
        page.goto(eyes.url + "/chart")
        chart, reading = page.locator("svg.drawing"), page.locator(".reading")
        box = chart.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] * (84 + 468 * 0.55) / 560, box["y"] + 90)
        assert reading.text_content() == "2026-02-20 · left 500", (
            "the day that the pointer is on, or the last before it"
        )
        page.mouse.move(0, 0)
        assert reading.text_content() == ""
        chart.focus()
        heard = []
        for key in ("ArrowRight", "ArrowRight", "End", "ArrowRight", "ArrowLeft", "Home", "Escape"):
            page.keyboard.press(key)
            heard.append((reading.text_content() or "").partition(" ")[0])
        assert heard == [
            *("2026-01-01", "2026-01-11", "2026-04-11", "2026-04-11", "2026-04-01", "2026-01-01", ""),
        ]


def test_the_next_rows_come_in_place_and_back_leads_back(open_window: Windows) -> None:
    with open_window(LOOKS[0]) as eyes:
        eyes.visit("/keys")
        page = eyes.page
        first = page.locator("#keys tbody th").first.text_content()
        page.evaluate("() => { window.isTheSame = true; }")
        page.locator("#next-keys").click()
        page.wait_for_url("**/keys?keys_after=*")
        page.wait_for_function("first => document.querySelector('#keys tbody th').textContent !== first", arg=first)
        assert page.evaluate("() => window.isTheSame"), "the page was not loaded again"
        page.go_back()
        page.wait_for_function("first => document.querySelector('#keys tbody th')?.textContent === first", arg=first)
        page.locator("[data-opens=keyboard]").wait_for()
        page.keyboard.press("?")
        page.get_by_role("dialog").wait_for()


def test_keys_can_be_switched_off_and_stay_off(open_window: Windows) -> None:
    """WCAG 2.1.4: who dictates or has tremors needs it."""
    with open_window(LOOKS[0]) as eyes:
        eyes.visit("/holders")
        page = eyes.page
        page.locator("[data-opens=keyboard]").click()
        page.locator("#keyboard-on").uncheck()
        page.keyboard.press("Escape")
        eyes.visit("/vouchers")
        page.keyboard.press("?")
        page.keyboard.press("g")
        page.keyboard.press("h")
        assert page.get_by_role("dialog").count() == 0
        assert page.url.endswith("/vouchers")
        page.locator("[data-opens=keyboard]").click()
        page.locator("#keyboard-on").check()
        page.keyboard.press("Escape")
        page.keyboard.press("?")
        page.get_by_role("dialog").wait_for()
