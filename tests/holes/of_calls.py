"""What goes out: where it leads, what goes with it, that it is settled once, who may see it."""

from .hole import Hole

HOLES = (
    Hole(
        "where a name leads is judged",
        "platform/outbound/client.py",
        "            self.allowed.judge(target, number)\n",
        "            pass\n",
        ("platform/outbound/test_client.py::test_t59_one_number_within_and_none_is_called",),
        shows="NoAnswer",
    ),
    Hole(
        "what was judged is what is connected to",
        "platform/outbound/client.py",
        "(str(number), target.port)",
        "(target.host, target.port)",
        ("platform/outbound/test_client.py::test_what_was_judged_is_what_is_connected_to",),
    ),
    Hole(
        "an address within is not public",
        "platform/outbound/addresses.py",
        "        number.is_global\n        and",
        "        True\n        and",
        ("platform/outbound/test_addresses.py::test_t58_the_numbers_that_are_not_public",),
    ),
    Hole(
        "a number in disguise is bared",
        "platform/outbound/addresses.py",
        "        if number in NAT64:",
        "        if False:",
        ("platform/outbound/test_addresses.py::test_t58_the_numbers_that_are_not_public",),
    ),
    Hole(
        "a number is spelt one way",
        "platform/outbound/addresses.py",
        'r"[0-9]+|0x[0-9a-f]*"',
        'r"never"',
        ("platform/outbound/test_addresses.py::test_t58_what_is_spelt_otherwise_is_no_address",),
    ),
    Hole(
        "a certificate is the name's",
        "platform/outbound/client.py",
        "        self._tls.minimum_version = ssl.TLSVersion.TLSv1_2\n",
        "        self._tls.check_hostname = False\n",
        ("platform/outbound/test_client.py::test_the_certificate_is_the_names",),
    ),
    Hole(
        "an answer has an end",
        "platform/outbound/client.py",
        "while len(kept) <= self.limits.most:\n"
        "                    piece = answer.read(min(8192, self.limits.most + 1 - len(kept)))",
        "while True:\n                    piece = answer.read(8192)",
        (
            "platform/outbound/test_client.py::test_t60_an_answer_without_end_is_read_up_to_the_limit",
        ),
        shows="NoAnswer",
    ),
    Hole(
        "a call ends in time",
        "platform/outbound/client.py",
        "        self._timer.start()\n",
        "",
        (
            "platform/outbound/test_client.py::test_t60_no_answer_takes_longer_than_the_limit[does-E_CALL_TIME0]",
        ),
        shows="RuntimeError",
    ),
    Hole(
        "a redirect is no answer",
        "runtime/channels/deliver.py",
        "200 <= answer.status < 300",
        "200 <= answer.status < 400",
        (
            "runtime/channels/test_calls.py::test_trouble_that_stays_is_an_incident_at_once[sqlite-302]",
        ),
    ),
    Hole(
        "a call is signed with its body",
        "runtime/channels/headers.py",
        'at.encode() + b"." + body',
        "at.encode()",
        (
            "runtime/channels/test_calls.py::test_a_call_tells_what_its_step_says_and_keeps_what_came_back[sqlite]",
        ),
    ),
    Hole(
        "only who took a call last settles it",
        "runtime/channels/deliver.py",
        "row.fence != parcel.fence or ",
        "",
        (
            "runtime/channels/test_calls.py::test_who_was_slower_settles_nothing_while_another_sends[sqlite]",
        ),
    ),
    Hole(
        "a call is sent by one",
        "runtime/channels/deliver.py",
        "        or_(calls.c.leased_until.is_(None), calls.c.leased_until <= now),\n",
        "",
        (
            "runtime/channels/test_calls.py::test_nothing_is_sent_before_the_commit_or_within_a_transaction[sqlite]",
        ),
    ),
    Hole(
        "what goes out is encrypted here",
        "runtime/channels/calls.py",
        'body=keyring(database_of(session).home).encrypt("call.body", body),',
        'body=f"{body}",',
        (
            "runtime/channels/test_calls.py::test_a_call_tells_what_its_step_says_and_keeps_what_came_back[sqlite]",
        ),
        shows="ValueError",
    ),
    Hole(
        "what went out is seen by who may read it",
        "runtime/flows/called.py",
        "return all(self._reads(read) for read in reads)",
        "return True",
        (
            "runtime/channels/test_connections.py::test_t27_a_runs_page_tells_of_a_call_what_its_reader_may_read",
        ),
    ),
    Hole(
        "who publishes is told what leaves in plain",
        "runtime/flows/powers.py",
        "        if does in LEAVING:",
        "        if does in ():",
        ("runtime/flows/test_leaving.py::test_each_part_that_takes_a_marked_field_out_is_told",),
    ),
    Hole(
        "a header's value goes to no other host",
        "runtime/channels/connections.py",
        "there = row is not None and row.host == host and",
        "there = row is not None and",
        (
            "runtime/channels/test_connections.py::test_a_connection_is_set_up_tried_changed_and_removed",
        ),
        shows="KeyError",
    ),
)
