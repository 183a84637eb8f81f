"""make bench: each claim against its named reference, one line each; `--write` keeps the table.

`make bench` measures all; `make bench CLAIMS="formulas validation"` some of them.
"""

import argparse
import os
import platform
from collections.abc import Callable, Iterator
from pathlib import Path

import servers

from . import (
    flow_step,
    formulas,
    list_http,
    record_write,
    submit_http,
    throughput,
    validation,
    viewed,
    visible,
    work_list,
)
from .measure import Result

CLAIMS: dict[str, Callable[[], Iterator[Result]]] = {
    "record_write": record_write.results,
    "formulas": formulas.results,
    "validation": validation.results,
    "submit_http": submit_http.results,
    "list_http": list_http.results,
    "work_list": work_list.results,
    "flow_step": flow_step.results,
    "visible": visible.results,
    "viewed": viewed.results,
}
HEAD = (
    "| what | ours, µs (wall / CPU) | against | theirs, µs (wall / CPU) | ours ÷ theirs | goal |\n"
    "|---|---|---|---|---|---|"
)
TABLE = Path(__file__).with_name("README.md")
BEGIN, END = "<!-- table: make bench -->", "<!-- end of table -->"


def main() -> None:
    """Measure, print, and keep the table when asked to."""
    parser = argparse.ArgumentParser(prog="make bench", description=__doc__)
    parser.add_argument("claims", nargs="*", help=", ".join((*CLAIMS, "throughput")))
    parser.add_argument("--write", action="store_true", help="put the table into README.md")
    given = parser.parse_args()
    chosen = given.claims or [*CLAIMS, "throughput"]
    lines = [f"Measured on {machine()}.", "", HEAD]
    print("\n".join(lines), flush=True)
    try:
        for name in (name for name in chosen if name in CLAIMS):
            for result in CLAIMS[name]():
                lines.append(result.line())
                print(lines[-1], flush=True)
        if "throughput" in chosen:
            throughput.main()
    finally:
        servers.end_run()
    if given.write:
        keep("\n".join(lines))


def machine() -> str:
    """The processor's model, how many cores, and the Python that ran."""
    information = Path("/proc/cpuinfo")
    models = [
        line.partition(":")[2].strip()
        for line in (information.read_text() if information.exists() else "").splitlines()
        if line.startswith("model name")
    ]
    model = models[0] if models else platform.processor() or platform.machine()
    return f"{model}, {os.cpu_count()} cores, Python {platform.python_version()}"


def keep(table: str) -> None:
    """Put the table in the place kept for it. Rows of other claims stay, if they were measured on
    the same machine."""
    text = TABLE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    TABLE.write_text(f"{before}{BEGIN}\n{merged(old.strip(), table)}\n{END}{after}", "utf-8")


def merged(old: str, new: str) -> str:
    """The new table, after those rows of the old one that it has nothing newer for."""
    above, head, rows = new.partition(HEAD)
    if not old.startswith(above):
        return new
    named = {_name(row) for row in rows.splitlines()}
    kept = [row for row in old.partition(HEAD)[2].splitlines() if _name(row) not in named]
    return "\n".join([above + head, *kept, *rows.strip().splitlines()])


def _name(row: str) -> str:
    return row.partition("| ")[2].partition(" |")[0]


if __name__ == "__main__":
    main()
