"""Where a PDF can be made; without WeasyPrint and Pango these are skipped, and in CI they fail."""

import pytest
from conftest import lacking

from careloom.platform.paper.pdf import can_make


@pytest.fixture(autouse=True)
def pdfs() -> None:
    if not can_make():
        lacking("WeasyPrint with Pango")
