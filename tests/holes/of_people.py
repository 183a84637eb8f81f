"""Rights, passwords, sign-ins, tokens, links."""

from .hole import Hole

HOLES = (
    Hole(
        "nobody publishes what is beyond their own rights",
        "platform/definitions/publish.py",
        "if problems or (exceeding and not vouched):",
        "if problems:",
        (
            "runtime/flows/test_powers.py::test_publishing_is_refused_and_nothing_done",
            "builders/test_second_person.py::test_what_goes_beyond_its_publisher_is_told_by_the_check_and_refused[sqlite]",
        ),
    ),
    Hole(
        "who wrote a draft is no second person",
        "platform/definitions/publish.py",
        "second = actor.person_id not in authors and allowed(session, actor, VOUCH)",
        "second = allowed(session, actor, VOUCH)",
        (
            "builders/test_second_person.py::test_a_second_person_vouches_for_what_they_have_not_worked_on[sqlite]",
        ),
    ),
    Hole(
        "what may be done with some records is not what may be done with all",
        "platform/identity/everywhere.py",
        "        if rule.lasting\n",
        "        if True\n",
        ("runtime/flows/test_powers.py::test_it_must_be_every_record_that_they_may_do_it_with",),
    ),
    Hole(
        "who is shown very many records is noticed",
        "platform/identity/many_seen.py",
        "    look_out(session, (row.person_id for row in rows))\n",
        "",
        (
            "platform/web/test_trail.py::test_who_is_shown_very_many_records_is_an_alarm_to_who_reads_the_trail[sqlite]",
        ),
    ),
    Hole(
        "a right is held at or above the unit",
        "platform/identity/permissions.py",
        "return any(at.startswith(path) for path in paths)",
        "return bool(paths)",
        (
            "platform/identity/test_permissions.py::test_a_right_reaches_the_unit_it_is_held_at_and_those_below",
        ),
    ),
    Hole(
        "a disabled person does not act",
        "platform/identity/actor.py",
        "if known is None or known.disabled:",
        "if known is None:",
        ("platform/identity/test_people.py::test_a_disabled_person_acts_no_more",),
    ),
    Hole(
        "nobody stands in for who may more",
        "platform/identity/authority.py",
        "for role, unit_id in session.execute(query.where(living)).all():",
        "for role, unit_id in ():",
        (
            "platform/identity/test_invitations.py::test_nobody_takes_over_an_account_that_may_more_than_they",
        ),
    ),
    Hole(
        "nobody gives rights they have not",
        "platform/identity/grants.py",
        "    need_rights(session, actor, role_key, unit_id)\n    row =",
        "    row =",
        ("platform/identity/test_people.py::test_rights_never_grow_by_giving",),
    ),
    Hole(
        "a changed grant ends what is kept",
        "platform/identity/grants.py",
        "session.delete(row)\n    session.flush()\n    bump_epoch(session)",
        "session.delete(row)\n    session.flush()",
        ("platform/identity/test_permissions.py::test_a_taken_role_is_gone_at_the_next_request",),
    ),
    Hole(
        "a sign-in expires",
        "platform/identity/sessions.py",
        "if row is None or row.expires_at <= now:",
        "if row is None:",
        ("platform/identity/test_people.py::test_a_sign_in_ends_when_it_is_not_used",),
    ),
    Hole(
        "a sign-in ends after thirty days",
        "platform/identity/sessions.py",
        "min(row.seen_at + idle, row.created_at + LONGEST)",
        "row.seen_at + idle",
        (
            "platform/identity/test_people.py::test_a_sign_in_ends_after_thirty_days_however_much_it_is_used",
        ),
    ),
    Hole(
        "passwords are tried ten times",
        "platform/identity/attempts.py",
        "if tries > most:",
        "if tries > most * 1000:",
        ("platform/identity/test_people.py::test_ten_tries_are_looked_at_and_no_more",),
    ),
    Hole(
        "wrong tries stand in the trail",
        "platform/identity/attempts.py",
        "if (wrong := row.tries - (row.passed or 0) - right) > 0:",
        "if (wrong := row.tries - (row.passed or 0) - right) > 9999:",
        (
            "platform/web/test_sign_in.py::test_wrong_passwords_are_told_in_the_trail_and_to_their_person[sqlite]",
        ),
    ),
    Hole(
        "a flood of unknown logins is gathered",
        "platform/identity/attempts.py",
        "            unknown.append(row)\n",
        """            more = {"tries": row.tries, "logins": 1}
            append(session, "person:unknown_tried", SYSTEM, (SUBJECT, 0), None, data | more)
""",
        (
            "platform/identity/test_wrong_tries.py::test_a_flood_of_logins_that_nobody_has_is_an_event_a_window[sqlite]",
        ),
    ),
    Hole(
        "a weak password is refused",
        "platform/identity/passwords.py",
        "elif _is_common(text):",
        "elif False:",
        ("platform/identity/test_passwords.py::test_a_weak_password_is_refused",),
    ),
    Hole(
        "the clinic's own words are no password",
        "platform/web/accounts_api.py",
        "passwords.require_sound(password, login, name, words)",
        "passwords.require_sound(password, login, name)",
        (
            "platform/web/test_people_pages.py::test_no_way_of_setting_a_password_takes_the_clinics_own_words",
        ),
    ),
    Hole(
        "all of a token is compared",
        "platform/identity/access_tokens.py",
        " or not hmac.compare_digest(row.hash, digest(token))",
        "",
        ("platform/identity/test_people.py::test_a_token_with_one_letter_changed_is_refused",),
    ),
    Hole(
        "a revoked token is no token",
        "platform/identity/access_tokens.py",
        'bindparam("prefix"), AccessToken.revoked_at.is_(None)',
        'bindparam("prefix")',
        ("platform/identity/test_people.py::test_a_token_holds_until_it_expires_or_is_revoked",),
    ),
    Hole(
        "an expired token is no token",
        "platform/identity/access_tokens.py",
        "row.expires_at <= moment(session)",
        "row.expires_at < row.expires_at",
        ("platform/identity/test_people.py::test_a_token_holds_until_it_expires_or_is_revoked",),
    ),
    Hole(
        "whom another form's records lead to is asked anew",
        "platform/identity/rules.py",
        "return self.condition is None and self.leading is None",
        "return True",
        (
            "platform/records/test_lasting.py::test_whom_a_record_of_another_form_leads_to_is_asked_anew[sqlite]",
        ),
    ),
    Hole(
        "a link ends",
        "platform/identity/reach.py",
        "            kind.expires_at > moment(session),\n            Person",
        "            Person",
        (
            "platform/identity/test_invitations.py::test_a_first_link_holds_for_days_and_one_that_replaces_a_password_for_minutes",
        ),
    ),
    Hole(
        "a new sign-in ends the one before",
        "platform/web/sign_in.py",
        "        sessions.end(session, replacing)",
        "        pass",
        ("platform/web/test_sign_in.py::test_signing_in_again_ends_the_sign_in_before",),
    ),
    Hole(
        "a browser is ended by its person or who administers them",
        "platform/identity/browsers.py",
        """    try:
        person = own_or_in_reach(session, actor, row.person_id, "people.write")
    except (NotAllowed, NotFound):
        raise NotFound("E_NO_SIGN_IN") from None
""",
        "    from .reach import person_of\n    person = person_of(session, row.person_id)\n",
        ("platform/web/test_browsers.py::test_nobody_ends_a_browser_of_a_colleague",),
    ),
    Hole(
        "there are only so many browsers at once",
        "platform/identity/sessions.py",
        "    over, ended = rows[most - 1 :], []",
        "    over, ended = rows[most * 9 :], []",
        (
            "platform/web/test_browsers.py::test_for_one_browser_too_many_the_one_not_used_for_longest_ends[sqlite]",
        ),
    ),
    Hole(
        "one is sent to one's own pages only",
        "platform/web/sign_in.py",
        'wanted if wanted and _OWN.fullmatch(wanted) else "/"',
        'wanted or "/"',
        ("platform/web/test_sign_in.py::test_nobody_is_sent_to_another_site",),
    ),
    Hole(
        "a code of the second factor counts once",
        "platform/identity/second_factor.py",
        "query.where(SecondFactor.step < step).values(",
        "query.values(",
        (
            "platform/identity/test_second_factor.py::test_a_code_counts_once_and_none_before_it",
            "platform/web/test_second_factor.py::test_a_code_signs_in_once",
        ),
    ),
    Hole(
        "a recovery code counts once",
        "platform/identity/second_factor.py",
        "    mine = delete(RecoveryCode).where(\n        RecoveryCode.id == recovery_id, RecoveryCode.person_id == person_id\n    )\n    if not session.execute(mine.returning(RecoveryCode.id)).all():\n        raise _wrong()\n",
        "",
        (
            "platform/identity/test_second_factor.py::test_a_recovery_code_counts_once_in_any_writing_and_no_other",
        ),
    ),
    Hole(
        "the right password alone signs nobody in who has a second factor",
        "platform/web/sign_in.py",
        "if second_factor.standing(session, person_id) is not None:",
        "if False:",
        ("platform/web/test_second_factor.py::test_half_signed_in_is_nowhere",),
    ),
    Hole(
        "the right password does not forgive wrong codes",
        "platform/web/sign_in.py",
        "if second_factor.standing(session, person_id) is None:",
        "if True:",
        (
            "platform/web/test_second_factor.py::test_codes_are_guessed_ten_times_and_the_password_does_not_help",
        ),
    ),
    Hole(
        "who must have a second factor and has none gets nowhere",
        "platform/web/request.py",
        "if asker().led and not is_for_the_led(request.endpoint):",
        "if False:",
        (
            "platform/web/test_own_second_factor.py::test_who_must_and_has_none_gets_nowhere_but_to_set_it_up",
        ),
    ),
    Hole(
        "a second factor is taken away by who may stand in for its person",
        "platform/identity/second_factor.py",
        "    need_authority(session, actor, person_id)\n    locked",
        "    locked",
        (
            "platform/identity/test_second_factor.py::test_it_is_turned_off_by_its_person_and_taken_away_by_who_may",
        ),
    ),
)
