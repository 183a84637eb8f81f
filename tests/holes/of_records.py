"""Rows, fields, exports: who may see and write what."""

from .hole import Hole

HOLES = (
    Hole(
        "a list's rows are those of the asker's scope",
        "platform/records/lists.py",
        ', asked.rows("read", shape.table), *extra]',
        ", *extra]",
        (
            "platform/records/test_lists.py::test_each_sees_the_rows_of_their_scope_and_counts_no_others[sqlite]",
        ),
        shows="KeyError",
    ),
    Hole(
        "one record is read within its scope",
        "platform/records/lists.py",
        'if row is None or not may(asked, shape, "read", row):',
        "if row is None:",
        (
            "platform/records/test_past.py::test_the_past_is_told_by_the_rights_of_today[sqlite]",
            "platform/web/test_api.py::test_what_is_not_there_is_not_found",
            "platform/records/test_conditions.py::test_what_the_expression_leaves_out_does_not_exist[sqlite]",
        ),
    ),
    Hole(
        "what one may not see one does not change",
        "platform/records/submit.py",
        'if row is None or not may(asked, shape, "read", row):',
        "if row is None:",
        (
            "platform/records/test_submit.py::test_changing_what_one_may_not_see_says_it_is_not_there[sqlite]",
        ),
        shows="NotAllowed",
    ),
    Hole(
        "a column is blank where its field is hidden",
        "platform/records/visible.py",
        "return column if rules is None else case((any_of(rules, table), column))",
        "return column",
        (
            "platform/records/test_lists.py::test_filters_searches_and_sorts_learn_nothing_of_what_is_masked[sqlite]",
        ),
    ),
    Hole(
        "a masked value is masked",
        "platform/records/record.py",
        "values[key] = shape.form.fields[key].mask(value)",
        "values[key] = value",
        (
            "platform/records/test_lists.py::test_a_field_is_full_masked_or_absent_row_by_row[sqlite]",
        ),
    ),
    Hole(
        "a hidden value is not in the record",
        "platform/records/record.py",
        'elif rights[key] != "hidden":',
        "else:",
        (
            "platform/records/test_lists.py::test_a_field_is_full_masked_or_absent_row_by_row[sqlite]",
        ),
    ),
    Hole(
        "the past is masked like the present",
        "platform/records/past.py",
        'mask(value) if right == "masked" else value',
        "give(value)",
        ("platform/records/test_past.py::test_the_past_is_told_by_the_rights_of_today[sqlite]",),
    ),
    Hole(
        "what follows from a hidden field is hidden",
        "platform/identity/rules.py",
        "right = min((right, self._through(follows)), key=RIGHTS.index)",
        "pass",
        ("platform/records/test_conditions.py::test_what_follows_from_a_hidden_field_is_hidden",),
    ),
    Hole(
        "only writable fields are written",
        "platform/records/validate.py",
        'elif rights[key] != "write":',
        "elif False:",
        (
            "platform/records/test_submit.py::test_a_field_that_may_only_be_read_is_refused_and_a_hidden_one_unknown[sqlite]",
        ),
    ),
    Hole(
        "a scope binds what is written anew",
        "platform/records/submit.py",
        "if not asked.may_with(action, me, unit_id, look):",
        "if False:",
        ("platform/records/test_conditions.py::test_it_binds_what_is_written_anew[sqlite]",),
        shows="Invalid",
    ),
    Hole(
        "labels are those of visible records",
        "platform/records/choices.py",
        '.in_(ids), asked.rows("read", shape.table))',
        ".in_(ids))",
        (
            "proof/test_matrix.py::test_no_answer_holds_what_its_reader_may_not_see[sqlite-link label]",
        ),
    ),
    Hole(
        "only visible records are linked to",
        "platform/records/choices.py",
        'table.c._retired_at.is_(None), asked.rows("read", table)\n    )\n    return session.execute(query).first() is None',
        "table.c._retired_at.is_(None)\n    )\n    return session.execute(query).first() is None",
        ("proof/test_bad_questions.py::test_t25_what_belongs_to_another_branch_is_not_there",),
    ),
    Hole(
        "an export holds what may be exported",
        "platform/records/take.py",
        "extra=[exported, *more]",
        "extra=[*more]",
        (
            "platform/records/test_take.py::test_what_may_be_read_and_not_taken_out_is_not_in_the_file",
        ),
    ),
    Hole(
        "only visible records are counted and summed",
        "platform/records/lowered.py",
        '        asked.rows("read", table),\n        readable(asked, shape, link, table),',
        "        readable(asked, shape, link, table),",
        (
            "platform/records/test_related.py::test_nobody_learns_of_records_they_may_not_read[sqlite]",
        ),
    ),
    Hole(
        "a sum over what its reader may not see is blank",
        "platform/records/lowered.py",
        "not all(related.may_know(session, actor, path) for path in typed.reads)",
        "False",
        (
            "platform/records/test_related.py::test_nobody_learns_of_records_they_may_not_read[sqlite]",
        ),
    ),
)
