"""Large exports: who says yes, to what, and for how many files."""

from .hole import Hole

HOLES = (
    Hole(
        "many records leave by a yes only",
        "platform/exports/make.py",
        "bound = free if free is not None and holds_personal(session, question.form) else None",
        "bound = None",
        (
            "platform/exports/test_asked.py::test_many_rows_leave_with_a_reason_and_another_persons_yes[sqlite]",
        ),
    ),
    Hole(
        "a list that leaves in pieces is counted as one",
        "platform/exports/free.py",
        "len(_lately(session, actor, form_key) | set(ids)) > free",
        "len(set(ids)) > free",
        ("platform/exports/test_free.py::test_a_list_that_is_cut_in_pieces_counts_as_one",),
    ),
    Hole(
        "nobody says yes to their own export",
        "platform/exports/allow.py",
        "if actor.person_id is None or actor.person_id == asker.person_id:",
        "if actor.person_id is None:",
        ("platform/exports/test_asked.py::test_nobody_says_yes_to_their_own",),
    ),
    Hole(
        "who says yes holds the right where the records come from",
        "platform/exports/allow.py",
        "return bool(wanted) and all(any(at.startswith(path) for path in held) for at in wanted)",
        "return bool(wanted) and bool(held)",
        (
            "platform/exports/test_asked.py::test_who_may_say_yes_holds_the_right_where_the_records_come_from",
        ),
    ),
    Hole(
        "a question is answered once",
        "platform/exports/ask.py",
        "exports.c.state == State.ASKED, exports.c.until > now",
        "exports.c.until > now",
        ("platform/exports/test_asked.py::test_a_no_is_told_and_is_the_end_of_it",),
    ),
    Hole(
        "a question lapses",
        "platform/exports/ask.py",
        "exports.c.state == State.ASKED, exports.c.until > now",
        "exports.c.state == State.ASKED",
        ("platform/exports/test_asked.py::test_a_yes_holds_for_a_day_and_a_question_for_a_week",),
    ),
    Hole(
        "a yes is used once",
        "platform/exports/make.py",
        "                exports.c.state == State.ALLOWED,\n",
        "",
        (
            "platform/exports/test_races.py::test_a_yes_that_is_used_while_a_file_is_written_is_used_up",
        ),
    ),
    Hole(
        "a yes is for the question that was asked",
        "platform/exports/make.py",
        "question = kept_question(row.form, row.kind, row.question)",
        "question = Question(row.form, row.kind)",
        ("platform/exports/test_asked.py::test_a_yes_is_for_the_question_that_was_asked",),
    ),
    Hole(
        "a yes is for who asked",
        "platform/exports/make.py",
        " or row.person_id != actor.person_id:",
        ":",
        ("platform/exports/test_asked.py::test_a_yes_is_for_who_asked",),
    ),
    Hole(
        "a yes is for so many rows",
        "platform/exports/make.py",
        '_more(most, lambda _: Conflict("E_EXPORT_GREW"))',
        "None",
        ("platform/exports/test_asked.py::test_a_file_has_few_rows_more_than_there_were",),
    ),
    Hole(
        "a yes is for what was masked then",
        "platform/exports/make.py",
        'if any(seen.get(key) == "read" and then != "read" for key, then in row.columns.items()):',
        "if False:",
        ("platform/exports/test_asked.py::test_rights_are_judged_as_the_file_is_made",),
    ),
    Hole(
        "a yes is for the columns there were",
        "platform/exports/make.py",
        "        columns=columns,\n",
        "",
        ("platform/exports/test_asked.py::test_a_column_that_was_not_there_is_not_in_the_file",),
    ),
    Hole(
        "a workbook says who took it",
        "platform/records/take.py",
        "        _mark(book, sheet, leaving)\n",
        "        pass\n",
        ("platform/exports/test_free.py::test_a_workbook_says_who_took_it_and_comes_in_again",),
    ),
)
