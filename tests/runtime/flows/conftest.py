"""Pages are asked of the demo clinic."""

from served import demo_home, site  # noqa: F401
