"""Look over the built site: every link within it leads somewhere, and no page loads anything from elsewhere.

    python docs/check_site.py docs/_build

Links of a reader's choice (`<a href="https://...">`) may lead out; what a browser fetches by itself may not.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

FETCHED = {"img": "src", "script": "src", "iframe": "src", "source": "src", "video": "src", "object": "data"}
FETCHING = {"stylesheet", "icon", "shortcut", "preload", "prefetch", "modulepreload", "preconnect", "dns-prefetch"}
STYLE_ADDRESS = re.compile(r"url\(\s*['\"]?([^'\")]+)['\"]?\s*\)|@import\s+['\"]([^'\"]+)['\"]")


class Page(HTMLParser):
    """What a page names: `links` to follow, what it has `fetched`, and the `places` in it that links may lead to."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.links: list[str] = []
        self.fetched: list[str] = []
        self.places: set[str] = {"", "top"}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note what a tag names."""
        found = {name: value or "" for name, value in attrs}
        self.places |= {found[name] for name in ("id", "name") if found.get(name)}
        if tag == "a" and found.get("href"):
            self.links.append(found["href"])
        elif tag == "link" and found.get("href"):
            fetching = FETCHING & set(found.get("rel", "").lower().split())
            (self.fetched if fetching else self.links).append(found["href"])
        elif found.get(FETCHED.get(tag, "")):
            self.fetched.append(found[FETCHED[tag]])
        self.fetched += [part.split()[0] for part in found.get("srcset", "").split(",") if part.strip()]


@cache
def page(path: Path) -> Page:
    """Return a page, which several others may name."""
    return Page(path.read_text(encoding="utf-8"))


def pages(site: Path) -> list[Path]:
    """Return the pages; the theme leaves a template among its files."""
    return sorted(path for path in site.rglob("*.html") if "_static" not in path.relative_to(site).parts)


def faults(site: Path) -> list[str]:
    """Return a line for each link that leads nowhere, and for each thing that is fetched from elsewhere."""
    found = []
    for path in pages(site):
        read, at = page(path), path.relative_to(site)
        for address in read.links + read.fetched:
            parts = urlsplit(address)
            if parts.scheme in ("data", "mailto", "javascript"):
                continue
            if parts.scheme or parts.netloc:
                if address in read.fetched:
                    found.append(f"{at}: fetches {address}")
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            if not target.is_file():
                found.append(f"{at}: {address}: there is no such file")
            elif at.parts[0] == "_modules":
                continue  # Sphinx calls places there by where a thing is defined, its page by where it is documented
            elif parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in page(target).places:
                found.append(f"{at}: {address}: there is no such place in that page")
    for path in sorted(site.rglob("*.css")):
        for address in (a or b for a, b in STYLE_ADDRESS.findall(path.read_text(encoding="utf-8"))):
            if urlsplit(address).netloc:
                found.append(f"{path.relative_to(site)}: fetches {address}")
    return found


def main() -> int:
    """Print the faults; return how a process is to end."""
    site = Path(sys.argv[1])
    if not (site / "index.html").is_file():
        print(f"{site}: there is no built site: make docs", file=sys.stderr)
        return 2
    found = faults(site.resolve())
    print("\n".join(found) or f"{site}: {len(pages(site))} pages, every link within them leads somewhere")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
