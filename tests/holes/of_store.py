"""What is written once, in order, sealed, encrypted; limits of formulas; tasks."""

from .hole import Hole

HOLES = (
    Hole(
        "a change is of the revision that was seen",
        "platform/records/submit.py",
        'if revision is not None and revision != row["_revision"]:',
        "if False:",
        ("platform/records/test_submit.py::test_a_stale_change_is_told_what_stands_now[sqlite]",),
    ),
    Hole(
        "a unique index is unique",
        "platform/store/tables.py",
        "unique=True,",
        "unique=False,",
        (
            "platform/records/test_submit.py::test_the_index_has_the_last_word_of_two_who_ask_at_once[sqlite]",
        ),
    ),
    Hole(
        "a task has one holder",
        "runtime/tasks/hold.py",
        "                tasks.c.holder_id.is_(None),\n",
        "",
        ("runtime/flows/test_trouble.py::test_a_pool_task_has_one_holder_at_a_time[sqlite]",),
    ),
    Hole(
        "a task is its people's",
        "runtime/tasks/hold.py",
        "        if not is_among(actor, who):\n",
        "        if False:\n",
        (
            "runtime/flows/test_follow_up.py::test_a_task_does_not_exist_for_those_not_asked[sqlite]",
        ),
        shows="Invalid",
    ),
    Hole(
        "a task is claimed by its people",
        "runtime/tasks/hold.py",
        "if not actor.is_system and not is_among(actor, asked(session, task_id)):",
        "if False:",
        ("runtime/flows/test_trouble.py::test_a_pool_task_has_one_holder_at_a_time",),
    ),
    Hole(
        "who planned does not approve",
        "runtime/steps/person.py",
        "for key in step.not_by\n",
        "for key in ()\n",
        ("runtime/flows/test_approve.py::test_nobody_approves_what_they_planned",),
    ),
    Hole(
        "a group that lost its transaction is given up",
        "platform/store/sqlite.py",
        "if self._lost(group, failure):",
        "if False:",
        (
            "platform/store/test_full_disk.py::test_no_deed_of_a_group_is_acknowledged_when_the_disk_fills_in_it",
        ),
    ),
    Hole(
        "processes write one after the other",
        "platform/store/writer_lock.py",
        "fcntl.flock(self._lock, fcntl.LOCK_EX)",
        "pass",
        ("platform/store/test_writer_lock.py",),
    ),
    Hole(
        "threads write one after the other",
        "platform/store/turn.py",
        "ticket.acquire()  # released by whoever hands the turn on",
        "pass",
        ("platform/store/test_turn.py::test_only_one_holds_it_at_a_time",),
    ),
    Hole(
        "a node's ids are one process's",
        "platform/store/ids.py",
        "SELECT min(number) FROM node WHERE leased_until_ms < :now",
        "SELECT min(number) FROM node WHERE :now > 0",
        (
            "platform/store/test_ids.py::test_a_node_is_leased_again_only_after_its_lease[sqlite]",
            "platform/store/test_ids.py::test_two_processes_do_not_share_a_node[sqlite]",
        ),
    ),
    Hole(
        "a ciphertext belongs to its column",
        "platform/store/encrypted.py",
        ", column.encode())",
        ", None)",
        ("platform/records/test_encrypted.py::test_a_ciphertext_moved_or_altered_does_not_open",),
        times=2,
    ),
    Hole(
        "the blind index has a key",
        "platform/store/encrypted.py",
        "hmac.new(self._blinds[number], message",
        'hmac.new(b"known to all", message',
        ("platform/records/test_encrypted.py::test_the_blind_index_says_nothing_without_its_key",),
    ),
    Hole(
        "sealed events hang together",
        "platform/events/seal.py",
        "        before,\n        seq,\n",
        "        seq,\n",
        (
            "platform/events/test_seal.py::test_an_event_rewritten_with_a_hash_of_its_own_is_found_by_the_next[sqlite]",
        ),
    ),
    Hole(
        "events are never changed",
        "platform/store/migrations/versions/0004_trail.py",
        'BEFORE DELETE ON event {refuse}"',
        'AFTER DELETE ON event WHEN 0 {refuse}"',
        ("platform/events/test_seal.py",),
    ),
    Hole(
        "causes end",
        "platform/events/log.py",
        "if depth > DEEPEST:",
        "if False:",
        ("platform/events/test_log.py::test_a_chain_of_causes_ends[sqlite]",),
    ),
    Hole(
        "rows and steps are counted",
        "platform/expressions/counting.py",
        "if env.steps > limits.STEPS:",
        "if False:",
        (
            "platform/expressions/test_limits.py::test_rows_and_steps_are_counted_before_they_are_walked",
        ),
    ),
    Hole(
        "a searched text is no pattern",
        "platform/records/search.py",
        "contains(plain, autoescape=True)",
        "contains(plain)",
        ("proof/test_bad_questions.py::test_t16_t17_text_is_only_ever_a_value",),
    ),
    Hole(
        "a number is of the records its reader sees",
        "runtime/reports/lens.py",
        'found = [table.c._retired_at.is_(None), self.asked.rows("read", table)]',
        "found = [table.c._retired_at.is_(None)]",
        (
            "runtime/reports/test_fx1.py::test_the_manager_of_the_other_branch_sees_only_hers[sqlite]",
        ),
    ),
    Hole(
        "who saw is told of rows in scope only",
        "platform/records/trail.py",
        'here = select(1).where(table.c._id == record_id, asked.rows("read", table))',
        "here = select(1).where(table.c._id == record_id)",
        (
            "platform/web/test_trail.py::test_events_of_records_and_units_out_of_reach_are_not_there",
        ),
    ),
    Hole(
        "an import is its person's own",
        "runtime/forms/uploads.py",
        "if row is None or row.person_id != person_id:",
        "if row is None:",
        ("runtime/forms/test_pages_import.py::test_an_upload_is_its_persons_own",),
    ),
    Hole(
        "a definition nobody can read is told so",
        "platform/definitions/form.py",
        '        raise misread("form", its.key, its.version, its.document, error) from error\n',
        "        raise\n",
        (
            "faults/test_not_understood.py::test_it_is_said_what_is_wrong_where_and_how_it_is_mended[en]",
        ),
    ),
    Hole(
        "what nobody takes is told after an hour",
        "runtime/timers/due.py",
        "if now - datetime.fromisoformat(first) >= LONGEST_LEFT:",
        "if False:",
        (
            "runtime/flows/test_newer.py::test_after_an_hour_it_is_an_incident_and_goes_on_when_that_is_retried[sqlite]",
        ),
    ),
    Hole(
        "a backup takes what no version tells of",
        "platform/records/backup.py",
        "                further[table.name] = found\n",
        "                pass\n",
        ("faults/test_not_understood.py::test_a_right_version_mends_it[sqlite-type]",),
        shows="OperationalError",
    ),
    Hole(
        "nobody waits for a lock without end",
        "platform/store/database.py",
        'wanted = {"lock_timeout": f"{LOCK_SECONDS}s", **LEFT}',
        "wanted = {**LEFT}",
        ("faults/test_locked.py::test_nobody_waits_for_long_by_itself[postgresql]",),
    ),
    Hole(
        "what is locked is told to be",
        "platform/store/away.py",
        "return state == LOCKED or state.startswith(STATES)",
        "return state.startswith(STATES)",
        (
            "faults/test_locked.py::test_whoever_needs_what_is_locked_is_told_and_served_afterwards[postgresql]",
        ),
    ),
    Hole(
        "the server asks whether we are there",
        "platform/store/database.py",
        'wanted = {"lock_timeout": f"{LOCK_SECONDS}s", **LEFT}',
        'wanted = {"lock_timeout": f"{LOCK_SECONDS}s"}',
        (
            "faults/test_wire.py::test_who_is_gone_without_a_word_gives_back_what_they_held[postgresql]",
        ),
    ),
    Hole(
        "what the files' disk answers is told",
        "platform/store/bodies.py",
        'raise Unavailable("E_DISK_FULL" if no_room(error) else "E_FILES_AWAY") from error',
        "raise",
        ("platform/store/test_bodies.py::test_a_put_that_fails_leaves_nothing_behind",),
        shows="OSError",
    ),
    Hole(
        "a batch of timers ends for whoever waits",
        "runtime/work/dispatch.py",
        "return time.monotonic() > end or database_of(session).is_waited_for()",
        "return time.monotonic() > end",
        (
            "faults/test_herd.py::test_a_batch_of_them_ends_for_whoever_waits_and_for_what_has_just_happened",
        ),
    ),
    Hole(
        "what has just happened comes before the timers",
        "runtime/work/dispatch.py",
        "if count and (_is_enough(session, end) or (nudged is not None and nudged.is_set())):",
        "if count and _is_enough(session, end):",
        (
            "faults/test_herd.py::test_a_batch_of_them_ends_for_whoever_waits_and_for_what_has_just_happened",
        ),
    ),
    Hole(
        "what was set aside is mended by who may read its record",
        "runtime/flows/mending.py",
        'return select(table.c._id).where(asked.rows("read", table))',
        "return select(table.c._id)",
        ("runtime/flows/test_mending.py::test_nobody_mends_what_is_not_theirs",),
    ),
    Hole(
        "a step that failed is told to who may read its record",
        "runtime/flows/mending.py",
        "and_(OPEN, or_(false(), *seen))",
        "OPEN",
        (
            "runtime/flows/test_mending.py::test_programs_find_the_steps_that_failed_and_try_them_again",
        ),
    ),
)
