"""Where a PDF can be made; without WeasyPrint and Pango these are skipped, and in CI they fail."""

import pytest
from conftest import lacking

from careloom.platform.paper import pdf


@pytest.fixture(autouse=True)
def pdfs(monkeypatch: pytest.MonkeyPatch) -> None:
    """With time enough for a machine that is busy with other tests."""
    if not pdf.can_make():
        lacking("WeasyPrint with Pango")
    monkeypatch.setattr(pdf, "MOST_SECONDS", 120.0)
