"""Files' bytes in an S3-like bucket: `s3://BUCKET/PREFIX?endpoint=http://127.0.0.1:9000`.

Needs the extra `s3`. Who may use the bucket, boto3 finds out in its usual places (the variables
`AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, its own files, the machine's role). A bucket's put
is whole or not there, so there is nothing half written to tidy; the bucket itself is never made
here, and its objects are never public.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from shutil import copyfileobj
from tempfile import SpooledTemporaryFile
from typing import Any, BinaryIO, cast
from urllib.parse import parse_qsl, urlsplit

from .bodies import CHUNK, ID, Missing
from .errors import Unavailable

OPTIONS = ("endpoint", "region")
SECONDS = 10


class Bucket:
    """Objects named PREFIX/ID in one bucket."""

    def __init__(self, url: str) -> None:
        """Raises ValueError for an address that is none, or when the extra is not installed."""
        name, self._prefix, options = read_address(url)
        try:
            import boto3
            from botocore.config import Config
        except ImportError:
            raise ValueError("a bucket needs more packages: pip install 'careloom[s3]'") from None
        self._bucket = name
        self._client: Any = boto3.client(
            "s3",
            endpoint_url=options.get("endpoint"),
            region_name=options.get("region", "us-east-1"),
            config=Config(
                connect_timeout=SECONDS,
                read_timeout=SECONDS,
                retries={"total_max_attempts": 3},
                # Other makers' buckets seldom know the newer checksums; ours is in the row.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )

    def put(self, file_id: str, source: BinaryIO) -> None:
        with _reached(file_id):
            self._client.put_object(
                Bucket=self._bucket,
                Key=self._key(file_id),
                Body=source,
                ContentType="application/octet-stream",
            )

    def open(self, file_id: str) -> BinaryIO:
        """A copy of our own, for a network stream can be read only once."""
        with _reached(file_id):
            found = self._client.get_object(Bucket=self._bucket, Key=self._key(file_id))
            copy = SpooledTemporaryFile(max_size=CHUNK)
            copyfileobj(found["Body"], copy, CHUNK)
        copy.seek(0)
        return cast(BinaryIO, copy)

    def remove(self, file_id: str) -> None:
        with _reached(file_id):
            self._client.delete_object(Bucket=self._bucket, Key=self._key(file_id))

    def listed(self) -> Iterator[tuple[str, datetime]]:
        pages = self._client.get_paginator("list_objects_v2")
        with _reached(""):
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix):
                for found in page.get("Contents", ()):
                    file_id = found["Key"].removeprefix(self._prefix)
                    if ID.fullmatch(file_id):
                        yield file_id, found["LastModified"]

    def tidy(self, before: datetime) -> None:
        """Nothing is ever half written."""

    def _key(self, file_id: str) -> str:
        if not ID.fullmatch(file_id):
            raise ValueError(f"{file_id!r} is no file's id")
        return self._prefix + file_id


@contextmanager
def _reached(file_id: str) -> Iterator[None]:
    """Raises Missing for what is not in the bucket, Unavailable when it does not answer so."""
    from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError

    try:
        yield
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") in ("NoSuchKey", "404"):
            raise Missing(file_id) from None
        raise Unavailable("E_FILES_AWAY") from error
    except (BotoCoreError, HTTPClientError, OSError) as error:
        raise Unavailable("E_FILES_AWAY") from error


def read_address(url: str) -> tuple[str, str, dict[str, str]]:
    """Bucket, prefix ("" or ending in a slash) and options. Raises ValueError."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    if parts.scheme != "s3" or not parts.hostname or parts.username or set(options) - {*OPTIONS}:
        raise ValueError("s3://BUCKET/PREFIX?endpoint=https://…&region=… is wanted")
    prefix = parts.path.strip("/")
    return parts.hostname, f"{prefix}/" if prefix else "", options
