"""Uploads, packs, files that are taken out."""

from .hole import Hole

HOLES = (
    Hole(
        "a signature vouches for each file's bytes",
        "platform/packs/signature.py",
        "if digests.get(name) != listed.get(name)",
        "if name not in digests",
        (
            "platform/packs/test_signature.py::test_each_file_that_was_changed_taken_out_or_put_in_is_named",
        ),
    ),
    Hole(
        "a signature is made with its key",
        "platform/packs/signature.py",
        "    except InvalidSignature:\n        raise",
        '    except InvalidSignature:\n        return str(found["signer"])\n        raise',
        (
            "platform/packs/test_signature.py::test_a_signature_that_does_not_hold_is_refused_whoever_asks",
        ),
    ),
    Hole(
        "a pack nobody vouches for waits for a word",
        "platform/packs/signers.py",
        "if not found.good and not despite:",
        "if False:",
        (
            "platform/packs/test_signature.py::test_a_pack_nobody_known_signed_waits_for_somebodys_word_which_is_kept",
        ),
    ),
    Hole(
        "a file is authorised when it is had",
        "platform/records/attachments.py",
        "if row is None or not _may_have(session, actor, row):",
        "if row is None:",
        ("platform/records/test_attachments.py::test_another_branch_has_no_file_of_ours",),
    ),
    Hole(
        "a loose file is its uploader's",
        "platform/records/attachments.py",
        "return row.by == actor.person_id\n    return record_id",
        "return True\n    return record_id",
        (
            "platform/records/test_attachments.py::test_somebody_elses_loose_file_goes_into_no_record",
        ),
        shows="Conflict",
    ),
    Hole(
        "a file is what its ending says",
        "platform/store/file_kinds.py",
        "if not _is(kind, source):",
        "if False:",
        (
            "platform/store/test_file_kinds.py::test_content_that_is_not_what_the_ending_says_is_refused",
        ),
    ),
    Hole(
        "a picture loses where it was taken",
        "platform/store/file_kinds.py",
        "upright.info = {key: upright.info[key] for key in LAYOUTS if key in upright.info}",
        "pass",
        (
            "platform/store/test_file_kinds.py::test_a_photo_loses_where_and_how_it_was_taken_and_stands_upright",
            "platform/store/test_file_kinds.py::test_a_png_loses_its_texts_and_keeps_what_can_be_seen_through",
        ),
    ),
    Hole(
        "a file is saved, not opened",
        "platform/web/files_api.py",
        "as_attachment=True",
        "as_attachment=False",
        ("platform/web/test_files_api.py::test_a_file_is_sent_to_be_saved_and_never_to_be_opened",),
    ),
    Hole(
        "a pack's names lead nowhere else",
        "platform/packs/archive.py",
        "        _judge_name(name)\n",
        "",
        ("platform/packs/test_archive.py::test_a_name_that_leads_elsewhere_is_refused",),
    ),
    Hole(
        "a bomb is not inflated",
        "platform/packs/archive.py",
        "or bomb or",
        "or",
        ("platform/packs/test_archive.py::test_a_bomb_is_refused_before_it_is_inflated",),
    ),
    Hole(
        "a cell in CSV runs nothing",
        "platform/records/formula_cells.py",
        'return "\'" + value if isinstance(value, str) and _runs(value.lstrip("\'")) else value',
        "return value",
        (
            "platform/records/test_take.py::test_no_text_begins_a_formula_and_each_comes_back_as_it_was",
            "platform/records/test_take.py::test_a_file_holds_readable_fields_only_and_runs_nothing",
        ),
    ),
    Hole(
        "a cell in XLSX runs nothing",
        "platform/records/take.py",
        'if isinstance(value, str):\n                cell.data_type = "s"',
        "pass",
        ("platform/records/test_take.py::test_a_file_holds_readable_fields_only_and_runs_nothing",),
    ),
    Hole(
        "what a killed process left of an export is removed",
        "platform/web/uploads.py",
        "                sweep_scratch()\n",
        "",
        ("platform/web/test_files_api.py::test_what_nobody_kept_is_swept_beside_the_server",),
    ),
    Hole(
        "another user's folder of the machine is left alone",
        "platform/store/scratch.py",
        " and found.st_uid == os.geteuid()",
        "",
        ("platform/store/test_scratch.py::test_what_only_bears_such_a_name_is_left_alone",),
    ),
)
