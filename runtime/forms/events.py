"""The events of this room."""

from ...platform.events.names import declare

declare(
    {
        "view:saved": ("form", "title", "role"),
        "view:removed": ("form", "title", "role"),
    }
)
