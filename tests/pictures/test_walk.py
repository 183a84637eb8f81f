"""The pictures miss no page."""

from served import Site, demo_home, site  # noqa: F401

from careloom.platform.web.routes import declaration_of

from .walk import NOWHERE, PICTURES

#: What is fetched by an address and is no page to look at.
NO_PAGES = {
    "/healthz",
    "/readyz",
    "/static/<path:filename>",
    "/records/<form_key>/export",
    "/records/<form_key>/import/<token>/problems",
    "/records/<form_key>/offer",
    "/records/<form_key>/<id:record_id>/print/<key>/pdf",
}


def pages(opened: Site) -> set[str]:
    """Every address a person may open."""
    found = set()
    for rule in opened.app.url_map.iter_rules():
        declared = declaration_of(opened.app.view_functions[rule.endpoint])
        if "GET" in (rule.methods or ()) and declared and not rule.rule.startswith("/api"):
            found.add(rule.rule)
    return found


def test_every_page_is_pictured(site: Site) -> None:  # noqa: F811
    assert pages(site) - NO_PAGES - {one.rule for one in PICTURES} == set()


def test_every_picture_is_of_a_route_and_has_a_name_of_its_own(site: Site) -> None:  # noqa: F811
    known = {rule.rule for rule in site.app.url_map.iter_rules()} | {NOWHERE, "/broken"}
    assert {one.rule for one in PICTURES} - known == set()
    assert len({one.name for one in PICTURES}) == len(PICTURES)
