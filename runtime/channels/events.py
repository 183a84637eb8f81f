"""What may happen to a connection, and to a call. A call's subject is its instance."""

from ...platform.events.names import declare

declare(
    {
        "connection:set": ("key", "host"),
        "connection:secret_renewed": ("key",),
        "connection:tried": ("key", "host", "status", "code"),
        "connection:removed": ("key", "host"),
        "call:made": ("step", "call", "connection"),
        "call:answered": ("step", "call", "status", "tries"),
        "call:failed": ("step", "call", "code", "tries"),
    }
)
