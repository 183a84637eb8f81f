"""What happens to people, written in the trail."""

from ..events.names import declare

SUBJECT = "person"
UNIT = "unit"
ALARM = "alarm"  # about the person of this id; a kind of its own, so that alarms are found

declare(
    {
        "person:signed_in": ("address",),
        "person:signed_out": ("everywhere",),
        "person:browser_ended": ("browser", "system", "by_self"),
        "person:browsers_many": ("browser", "system", "most"),
        "person:others_ended": ("count",),
        "person:locked": ("address",),
        "person:tried": ("tries", "since", "address"),
        "person:unknown_tried": ("tries", "logins", "since", "address"),
        "person:invited": ("until",),
        "person:unlocked": (),
        "person:added": ("login", "name"),
        "person:changed": ("fields",),
        "person:disabled": (),
        "person:enabled": (),
        "person:password_set": ("by_self",),
        "person:saw_many": ("records", "minutes"),
        "person:factor_set_up": (),
        "person:factor_ended": ("by_self",),
        "person:codes_made": (),
        "person:code_spent": ("left",),
        "role:given": ("role", "unit", "until"),
        "role:taken": ("role", "unit"),
        "token:issued": ("prefix",),
        "token:revoked": ("prefix",),
        "unit:added": ("code",),
        "unit:moved": ("from", "to"),
        "unit:changed": ("fields",),
    }
)
