"""Every event there is, `subject:action`, each with the shape of its data.

The sentence people read is the catalogue's `event.<name>`. Areas add their own at start.
"""

from collections.abc import Mapping

EVENTS: dict[str, tuple[str, ...]] = {}


def declare(events: Mapping[str, tuple[str, ...]]) -> None:
    """Add events: name -> the keys of their data. Saying the same again changes nothing."""
    for name, keys in events.items():
        if EVENTS.setdefault(name, keys) != keys:
            raise ValueError(f"{name} is declared twice, differently")


declare(
    {
        "record:submitted": ("form", "version", "source"),
        "record:changed": ("form", "version", "fields", "source"),
        "record:retired": ("form",),
        "record:restored": ("form",),
        "record:printed": ("form", "printout", "version", "as"),
        "records:imported": ("form", "rows", "good", "bad", "duplicates"),
        "records:exported": ("form", "rows", "export"),
        "definition:drafted": ("kind", "key", "revision"),
        "definition:discarded": ("kind", "key"),
        "definition:published": ("kind", "key", "version", "changes", "authors", "beyond"),
        "views:dropped": ("month", "rows", "hash"),
        "backup:made": ("rows", "files", "seq"),
        "backup:restored": ("made_at", "seq"),
        "keys:rotated": ("key",),
        "keys:dropped": ("key",),
        "pack:applied": ("key", "version", "steps", "signed", "by"),
        "pack:rolled_back": ("key", "version", "steps"),
        "pack:trusted": ("name", "key"),
        "pack:distrusted": ("name", "key"),
    }
)
