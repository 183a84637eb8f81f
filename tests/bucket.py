"""The homes of files' bytes, and an S3-like server in this process, on loopback."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import boto3
import pytest
from moto.server import ThreadedMotoServer

from careloom.platform.store.bodies import Bodies
from careloom.platform.store.open_bodies import open_bodies


@pytest.fixture(scope="session")
def bucket_server() -> Iterator[str]:
    """The server's address."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def bucket_url(bucket_server: str) -> str:
    """The address of a bucket of its own, with a prefix."""
    name = f"b{uuid4().hex}"
    boto3.client("s3", endpoint_url=bucket_server, region_name="us-east-1").create_bucket(
        Bucket=name
    )
    return f"s3://{name}/clinic/files?endpoint={bucket_server}"


@pytest.fixture(params=["folder", "bucket"])
def bodies(request: pytest.FixtureRequest, tmp_path: Path) -> Bodies:
    """Each home in turn, empty."""
    url = request.getfixturevalue("bucket_url") if request.param == "bucket" else ""
    return open_bodies(url, tmp_path / "home")
