"""Routes, forged requests, pages, logs."""

from .hole import Hole

HOLES = (
    Hole(
        "a view that declares nothing does not open",
        "platform/web/app.py",
        "    require_declarations(app)\n",
        "",
        (
            "platform/web/test_every_route.py::test_a_view_that_declares_nothing_keeps_the_house_from_opening",
        ),
    ),
    Hole(
        "a route's right is asked for",
        "platform/web/request.py",
        "if needs != SIGNED_IN:",
        "if False:",
        ("platform/web/test_every_route.py::test_somebody_without_a_role_gets_no_further",),
    ),
    Hole(
        "an unsafe request bears its token",
        "platform/web/csrf.py",
        'if not wanted or not hmac.compare_digest(sent.encode("utf-8", "replace"), wanted.encode()):',
        "if False:",
        ("platform/web/test_every_route.py::test_every_unsafe_route_asks_for_the_token[none]",),
    ),
    Hole(
        "another site's request is refused",
        "platform/web/csrf.py",
        'not in ("same-origin", "none"):',
        "in ():",
        (
            "platform/web/test_every_route.py::test_every_unsafe_route_asks_for_the_token[cross-site]",
        ),
    ),
    Hole(
        "another origin's request is refused",
        "platform/web/csrf.py",
        "if origin is not None and",
        "if False and",
        (
            "platform/web/test_every_route.py::test_every_unsafe_route_asks_for_the_token[other origin]",
        ),
    ),
    Hole(
        "other hosts are refused",
        "platform/web/app.py",
        'app.config["TRUSTED_HOSTS"] =',
        "_hosts =",
        (
            "platform/web/test_every_route.py::test_over_https_cookies_and_browsers_are_told_to_stay_there",
        ),
    ),
    Hole(
        "scripts are our own",
        "platform/web/headers.py",
        'f"script-src {scripts}"',
        "\"script-src 'self' 'unsafe-inline'\"",
        ("platform/web/test_every_route.py::test_every_answer_bears_the_headers",),
    ),
    Hole(
        "text in a page is text",
        "platform/web/context.py",
        'app.jinja_env.filters["local"] = local',
        'app.jinja_env.filters["local"] = local\n    app.jinja_env.autoescape = False',
        ("proof/test_bad_output.py",),
    ),
    Hole(
        "the same request is done once",
        "platform/web/idempotency.py",
        "if text is None or request.method",
        "if True or request.method",
        (
            "platform/web/test_bodies.py::test_the_same_request_again_gets_the_first_answer[sqlite-/api/trial/count]",
        ),
        shows="KeyError",
    ),
    Hole(
        "a key stands for one request",
        "platform/web/idempotency.py",
        "if known.request != key.request:",
        "if False:",
        ("platform/web/test_bodies.py::test_the_same_key_for_something_else_is_a_conflict",),
        shows="KeyError",
    ),
    Hole(
        "a name stands once in an object",
        "platform/web/body.py",
        "if name in made:",
        "if False:",
        ("platform/web/test_bodies.py::test_what_json_allows_and_we_do_not_is_refused",),
        shows="KeyError",
    ),
    Hole(
        "a body has the fields its route knows",
        "platform/web/shapes.py",
        '"additionalProperties": False,',
        '"additionalProperties": True,',
        ("platform/web/test_bodies.py::test_nobody_is_added_with_more_than_the_form_asks",),
    ),
    Hole(
        "a page's mark is ours",
        "platform/web/paging.py",
        'if not hmac.compare_digest(_seal(mark).encode(), seal.encode("utf-8", "replace")):',
        "if False:",
        (
            "platform/web/test_bodies.py::test_a_list_is_walked_page_by_page_and_each_mark_is_its_readers_own",
            "proof/test_bad_questions.py::test_t22_pages_have_bounds_and_marks_are_ours",
        ),
    ),
    Hole(
        "a secret is long and not known",
        "platform/web/settings.py",
        "if len(secret) < 32 or len(set(secret)) < 8 or worn in KNOWN_SECRETS:",
        "if False:",
        (
            "platform/web/test_errors.py::test_a_setting_that_cannot_be_meant_keeps_the_house_from_opening",
        ),
    ),
    Hole(
        "a log line holds no phone number",
        "platform/web/logs.py",
        'return _PHONE.sub(r"\\1****\\2", words)',
        "return words",
        ("platform/web/test_errors.py::test_a_log_line_masks_what_is_nobodys_business",),
    ),
)
