"""What runs in the child process that makes one PDF. It is a script of its own and imports nothing
of the house: by the time it reads what it was given it can no longer grow, run on, write or reach
anything.

Standard input: `{"limits", "html", "styles", "files": {name: base64}}`. Standard output: the PDF.
Standard error: one JSON object, `{"refused": [address, …]}`, or a fault. Exit: 0, or TOO_LARGE when
memory or the room for the PDF ran out.
"""

import base64
import json
import os
import sys
from typing import Any

TOO_LARGE = 12
#: what a page calls a file it was given: `careloom-file:NAME`
GIVEN = "careloom-file:"
#: what Python tells before it does it (audit events), and what is not done here any more
CLOSED = (
    *("socket.", "subprocess.", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.system"),
    *("urllib.Request", "http.client.", "ftplib.", "os.mkdir", "os.remove", "os.rename", "os.kill"),
)


def confine(limits: dict[str, int]) -> None:
    """From now on: so much memory, so long on the processor, so large a file.

    Not RLIMIT_NPROC: it counts all that the server's user runs, and Pango begins a thread. Programs
    are kept away by `shut`.
    """
    import resource  # not there on Windows, where the server can run and makes no PDF

    for name, most in limits.items():
        which = getattr(resource, f"RLIMIT_{name}")
        _soft, hard = resource.getrlimit(which)
        most = most if hard == resource.RLIM_INFINITY else min(most, hard)
        ends = most + 1 if name == "CPU" and hard == resource.RLIM_INFINITY else most
        resource.setrlimit(which, (most, ends))
    os.nice(5)  # who waits for a page goes first


def shut() -> None:
    """From now on no Python in here reaches the network, starts a program or opens a file that is
    not Python's own. It cannot be opened again: an audit hook stays."""
    roots = tuple(
        os.path.realpath(each) + os.sep for each in (sys.prefix, sys.base_prefix, *sys.path)
    )

    def refuse(event: str, arguments: tuple[Any, ...]) -> None:
        if event.startswith(CLOSED):
            raise PermissionError(f"{event} is not done here")
        if event == "open":
            path, mode, _flags = arguments
            reads = mode is None or not set(mode) & set("wax+")
            if not isinstance(path, int) and not (reads and _below(path, roots)):
                raise PermissionError("no file is opened here")

    sys.addaudithook(refuse)


def _below(path: Any, roots: tuple[str, ...]) -> bool:
    return os.path.realpath(os.fsdecode(path)).startswith(roots)


def make(html: str, styles: list[str], files: dict[str, bytes]) -> tuple[bytes, list[str]]:
    """The PDF, and the addresses that the page asked for and was not given."""
    from weasyprint import CSS, HTML
    from weasyprint.urls import URLFetcher, URLFetcherResponse

    refused: list[str] = []

    class OnlyGiven(URLFetcher):  # type: ignore[misc]
        """Answers with what came along. There is no other address: no file, no host, no data."""

        def fetch(self, url: str, headers: Any = None) -> URLFetcherResponse:
            if url.startswith(GIVEN) and (found := files.get(url.removeprefix(GIVEN))) is not None:
                return URLFetcherResponse(url, found)
            refused.append(url[:200])
            raise ValueError("nothing is fetched")

    fetcher = OnlyGiven()
    shut()
    page = HTML(string=html, url_fetcher=fetcher, base_url=None)
    sheets = [CSS(string=style, url_fetcher=fetcher, base_url=None) for style in styles]
    made = page.write_pdf(stylesheets=sheets, optimize_images=True, jpeg_quality=85, dpi=200)
    return made, refused


def main() -> int:
    asked = json.load(sys.stdin)
    try:
        confine(asked["limits"])
        files = {name: base64.b64decode(body) for name, body in asked["files"].items()}
        made, refused = make(asked["html"], asked["styles"], files)
        sys.stdout.buffer.write(made)
        sys.stdout.buffer.flush()
    except MemoryError:
        return TOO_LARGE
    except OSError as error:  # the file that the PDF goes into is as large as it may be
        return TOO_LARGE if error.errno == 27 else 1
    json.dump({"refused": refused}, sys.stderr)
    return 0


if __name__ == "__main__":
    sys.exit(main())
