"""What may happen to a task. The subject of each is its instance, so that a run reads in order."""

from ...platform.events.names import declare

declare(
    {
        "task:offered": ("task", "step", "to", "due"),
        "task:claimed": ("task", "step"),
        "task:released": ("task", "step"),
        "task:completed": ("task", "step", "outcome", "form", "record"),
        "task:reminded": ("task", "step", "limit"),
        "task:escalated": ("task", "step", "limit", "to"),
        "task:reassigned": ("task", "step", "limit", "to"),
        "task:delegated": ("task", "step", "to"),
        "task:answered": ("task", "step", "to"),
        "task:commented": ("task", "step"),
        "task:signer_added": ("task", "step", "to"),
        "task:taken_back": ("task", "step"),
    }
)
