"""The rooms' fixtures, and a receiver."""

from collections.abc import Iterator

import pytest
from receiver import Receiver, receiving

from ..conftest import *  # noqa: F403


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one
