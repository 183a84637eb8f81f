"""What is printed: in whose eyes, and what the child that makes the PDF may do."""

from .hole import Hole

PDF = "platform/paper/test_pdf.py"
PAGES = "runtime/printouts/test_pages.py"
SYSTEM = '__import__("careloom.platform.identity.actor", fromlist=["SYSTEM"]).SYSTEM'

HOLES = (
    Hole(
        "a page made into a PDF fetches nothing",
        "platform/paper/child.py",
        """            refused.append(url[:200])
            raise ValueError("nothing is fetched")

    fetcher = OnlyGiven()
    shut()
""",
        """            return super().fetch(url)

    fetcher = OnlyGiven()
""",
        (f"{PDF}::test_t12_nothing_is_fetched_whatever_a_page_names",),
    ),
    Hole(
        "behind the fetcher Python is shut",
        "platform/paper/child.py",
        "sys.addaudithook(refuse)",
        "pass",
        (f"{PDF}::test_t12_behind_the_fetcher_python_itself_is_shut",),
    ),
    Hole(
        "the child has limits",
        "platform/paper/child.py",
        "resource.setrlimit(which, (most, ends))",
        "pass",
        (f"{PDF}::test_a_child_holds_its_limits_and_knows_nothing_of_the_server",),
    ),
    Hole(
        "the child has its time",
        "platform/paper/pdf.py",
        "return child.wait(seconds)",
        "return child.wait()",
        (f"{PDF}::test_t10_who_takes_too_long_is_killed_with_its_group",),
    ),
    Hole(
        "the child goes with its group",
        "platform/paper/pdf.py",
        "os.killpg(child.pid, signal.SIGKILL)",
        "child.kill()",
        (f"{PDF}::test_t10_who_takes_too_long_is_killed_with_its_group",),
    ),
    Hole(
        "the child knows nothing of the server",
        "platform/paper/pdf.py",
        "        env=dict(ENVIRONMENT),\n",
        "",
        (f"{PDF}::test_a_child_holds_its_limits_and_knows_nothing_of_the_server",),
    ),
    Hole(
        "a record is printed in its reader's eyes",
        "runtime/printouts/pages.py",
        "record = get(session, actor, form_key, record_id)",
        f"record = get(session, {SYSTEM}, form_key, record_id)",
        (
            f"{PAGES}::test_whoever_may_not_see_the_record_finds_nothing_to_print",
            f"{PAGES}::test_hidden_and_masked_fields_print_as_their_reader_sees_them",
        ),
    ),
    Hole(
        "what a link leads to is printed in its reader's eyes",
        "runtime/printouts/sight.py",
        "Eyes(reader.session, reader.actor, record)",
        f"Eyes(reader.session, {SYSTEM}, record)",
        (f"{PAGES}::test_hidden_and_masked_fields_print_as_their_reader_sees_them",),
    ),
    Hole(
        "what rests on a hidden field is not printed as if that were blank",
        "runtime/printouts/sight.py",
        "            self._missed.append(key)\n",
        "            pass\n",
        (f"{PAGES}::test_hidden_and_masked_fields_print_as_their_reader_sees_them",),
    ),
    Hole(
        "who printed is written down before it is handed out",
        "runtime/printouts/pages.py",
        '    _write_down(printed, "pdf")\n',
        "",
        (f"{PAGES}::test_who_printed_what_is_written_down_before_it_is_handed_out",),
    ),
)
