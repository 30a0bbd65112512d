"""Makes the README's pictures of the explorer, of the demo's year: with Debian's Chromium (tests/browser/install).

python tests/documentation/make_explorer_pictures.py
"""

import re
import subprocess
import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

DOCS = Path(__file__).resolve().parents[2] / "docs"
WIDTH, HEIGHT = 1_120, 900
PICTURES = {
    "explorer-network": ("/", "light", 0),
    "explorer-programme": ("/programmes/shanghai-treasury/compute?lang=zh", "dark", 0),
    "explorer-entry": ("/entries/5000", "light", 0),
}
"""By name the page, the theme, and from how far down (pixels)."""


def main() -> None:
    """Make them."""
    with tempfile.TemporaryDirectory() as folder:
        year = Path(folder) / "year"
        subprocess.run([sys.executable, "-m", "tallystick", "demo", year], check=True, stdout=subprocess.DEVNULL)
        explorer = subprocess.Popen(
            [sys.executable, "-m", "tallystick", "explore", year, "--port", "0"], stdout=subprocess.PIPE, text=True
        )
        try:
            assert explorer.stdout is not None
            take(explorer.stdout.readline().strip())
        finally:
            explorer.terminate()
            explorer.wait()


def take(url: str) -> None:
    """Take all pictures of a site."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        for name, (path, theme, top) in PICTURES.items():
            page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
            page.context.add_cookies([{"name": "theme", "value": theme, "url": url}])
            page.goto(url + path)
            page.evaluate(f"window.scrollTo(0, {top})")
            page.screenshot(path=DOCS / f"{name}.png")
            print(name, re.sub(r"\?.*", "", path))
            page.close()
        browser.close()


if __name__ == "__main__":
    main()
