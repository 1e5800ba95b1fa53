"""Whether every page of the site fits its column, in headless Chromium.

python docs/_sphinx/layout.py                      # after `make docs`
python docs/_sphinx/layout.py --page user_guide/shapes.html --widths 1300

A page fits if nothing makes it scroll sideways, and if no code, table or picture is
wider than the place it has. Folded parts don't count until a reader opens them. Phones
wrap code, and scroll tables in their own frame.
"""

import argparse
import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from playwright.sync_api import sync_playwright

SITE = Path(__file__).parents[1] / "_build" / "html"
# Two laptops, a screen and a phone.
WIDTHS = 1300, 1440, 1920, 390
BROWSERS = "chromium", "chromium-browser", "google-chrome"
# Each reads a share of the pages.
N_AT_ONCE = 2
# What sticks out by more than a pixel, by how much, and how its text begins.
STICKS_OUT = """() => {
    const found = [], page = document.documentElement;
    if (page.scrollWidth > page.clientWidth + 1)
        found.push(["page", page.scrollWidth - page.clientWidth, ""]);
    for (const part of document.querySelectorAll("pre, table, img, dt.sig")) {
        const more = part.scrollWidth - part.clientWidth;
        const frame = getComputedStyle(part);
        const scrolls = (part.tagName === "TABLE" && frame.display === "block")
            || part.closest("details");
        if (part.clientWidth && more > 1 && frame.display !== "inline" && !scrolls)
            found.push([part.tagName, more, part.textContent.trim().slice(0, 50)]);
    }
    return found;
}"""


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--site", type=Path, default=SITE, help="folder of the pages")
    parser.add_argument("--page", help="one page instead of all")
    parser.add_argument("--widths", type=int, nargs="+", default=WIDTHS)
    options = parser.parse_args()
    pages = [options.site / options.page] if options.page else pages_of(options.site)
    browser = next(filter(None, map(shutil.which, BROWSERS)), None)
    if browser is None:
        sys.exit("Chromium isn't installed: apt-get install chromium")
    if not pages:
        sys.exit(f"{options.site} has no pages: make docs")
    shares = [pages[i::N_AT_ONCE] for i in range(min(N_AT_ONCE, len(pages)))]
    with ThreadPoolExecutor(N_AT_ONCE) as pool:
        of_shares = pool.map(
            lambda share: sticking_out(browser, share, options.widths), shares
        )
        faults = sorted(fault for share in of_shares for fault in share)
    for width, path, (what, pixels, text) in faults:
        name = path.relative_to(options.site)
        print(f"{width} px: {name}: {what} by {pixels} px: {text!r}")
    n_widths, n_faults = len(options.widths), len(faults)
    print(f"{len(pages)} pages at {n_widths} widths: {n_faults} stick out")
    sys.exit(bool(faults))


def pages_of(site):
    """Return the pages of a site, without those of its theme."""
    pages = sorted(site.rglob("*.html"))
    return [path for path in pages if not {"_static", "_downloads"} & {*path.parts}]


def sticking_out(browser, pages, widths):
    """List what sticks out of pages: the width, the page, and what it is.

    A page is loaded once, which takes longest, and laid out anew for each width.
    """
    found = []
    with sync_playwright() as play:
        # Its sandbox needs rights that a container doesn't give.
        chromium = play.chromium.launch(
            executable_path=browser, args=["--no-sandbox", "--disable-gpu"]
        )
        page = chromium.new_page()
        # What else the machine does may take the time of a page, whose limit is 30 s.
        page.set_default_navigation_timeout(150_000)
        # Pages of the site alone: nothing is asked of the network.
        page.route("http*://**", lambda route: route.abort())
        for path in pages:
            page.goto(path.absolute().as_uri(), wait_until="domcontentloaded")
            for width in widths:
                page.set_viewport_size({"width": width, "height": 900})
                found += ((width, path, what) for what in page.evaluate(STICKS_OUT))
        chromium.close()
    return found


if __name__ == "__main__":
    main()
