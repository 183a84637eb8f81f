"""Both homes of files' bytes."""

from bucket import bodies, bucket_server, bucket_url  # noqa: F401
