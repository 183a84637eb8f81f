"""What may happen to an instance."""

from ...platform.events.names import declare

declare(
    {
        "flow:started": ("flow", "version", "form", "record"),
        "flow:called": ("flow", "given", "parent"),
        "flow:raised": ("event",),
        "flow:ended": ("step",),
        "flow:cancelled": (),
        "flow:suspended": (),
        "flow:resumed": (),
        "flow:woken": ("step",),
        "incident:opened": ("step", "code"),
        "incident:retried": ("step",),
        "incident:skipped": ("step",),
        "handoff:retried": ("event",),
        "handoff:left_out": ("event", "reason", "error"),
        "message:sent": ("step", "message", "to"),
    }
)
