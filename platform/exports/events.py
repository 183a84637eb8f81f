"""What happens about files that are asked for, in the trail; a file is `records:exported`."""

from ..events.names import declare

SUBJECT = "export"

declare(
    {
        "export:asked": ("form", "rows", "reason"),
        "export:allowed": ("form", "rows", "until", "words"),
        "export:refused": ("form", "rows", "words"),
        "export:done": ("form", "rows"),
    }
)
