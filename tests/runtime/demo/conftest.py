"""The demo clinic, as `careloom setup --demo` leaves it."""

from served import demo_home, site  # noqa: F401
