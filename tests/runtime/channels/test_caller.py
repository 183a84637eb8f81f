"""The worker sends calls beside everything else, and finds by itself what nobody woke it for."""

import threading
import time
from datetime import timedelta

import pytest
from receiver import receiving, says

from careloom.platform.outbound.client import Limits
from careloom.platform.store.clock import TurnedClock
from careloom.runtime.channels import wake
from careloom.runtime.channels.deliver import AT_ONCE, LEASE
from careloom.runtime.flows.model import Instance
from careloom.runtime.work import calling, looker
from careloom.runtime.work.calling import taken
from careloom.runtime.work.worker import Worker, start_worker

from ..clinic import Clinic, flow_of, listed, rows, soon, sound
from .ring import END, TELL, client_for, connect, keys, ring_in

ASKED = {
    "key": "look",
    "kind": "task",
    "title": "Look",
    "who": {"role": "supervisor"},
    "outcomes": [{"key": "ok", "title": "OK"}],
}


def test_f31_while_a_receiver_hangs_people_and_other_receivers_do_not_wait(clinic: Clinic) -> None:
    over = threading.Event()
    with receiving(lambda line, asked: over.wait(60) and None) as dead, receiving() as well:
        client = client_for(dead, well)
        client.limits = Limits(connect=60, read=60, total=60)
        connect(clinic, client, dead.port)
        connect(clinic, client, well.port, "well")
        steps = [{**TELL, "connection": "well"}, ASKED, END]
        other = {**flow_of(*steps), "key": "other", "start": {"on": "record:submitted"}}
        clinic.publish("flow", flow_of(TELL, END))
        clinic.publish("flow", other)
        stop = start_worker(clinic.database, client)
        try:
            clinic.lead("the first")
            assert soon(lambda: bool(dead.asked) and len(listed(clinic, "sue")) == 1)
            for number in range(9):
                clinic.lead(f"客户{number}")
            assert soon(lambda: len(listed(clinic, "sue")) == 10)
            assert len(well.asked) == len({*keys(well)}) == 10
            assert 0 < len(dead.asked) <= AT_ONCE
        finally:
            over.set()
            stop()
        assert wake.listeners == []
        assert not [one for one in threading.enumerate() if one.name.startswith("careloom-calls")]
        assert sound(clinic)


def test_what_a_dead_process_had_taken_is_sent_by_another(
    clinic: Clinic, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with receiving(says(200)) as receiver:
        ring = ring_in(clinic, receiver, TELL, END)
        clinic.started()
        (lost,) = taken(clinic.database, 8)  # and this process is no more
        monkeypatch.setattr(looker, "LOOK_SECONDS", 0.1)
        worker = Worker(clinic.database, client=ring.client)
        worker.start()
        try:
            time.sleep(0.5)
            assert not receiver.asked  # it may only be slow
            clock.turn(LEASE + timedelta(seconds=1))
            assert soon(lambda: rows(clinic, Instance)[0].result == "told")
        finally:
            worker.stop()
        assert keys(receiver) == [lost.same] and sound(clinic)


def test_a_database_that_is_away_when_the_answer_comes_loses_nothing(
    sqlite_clinic: Clinic, clock: TurnedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    clinic = sqlite_clinic
    with receiving(says(200)) as receiver:
        ring = ring_in(clinic, receiver, TELL, END)
        clinic.started()
        settled, failed = calling.settled, []

        def away(*args: object) -> None:
            if not failed:
                failed.append(1)
                raise OSError("the database is away")
            settled(*args)  # type: ignore[arg-type]

        monkeypatch.setattr(calling, "settled", away)
        worker = Worker(clinic.database, client=ring.client)
        worker.start()
        try:
            assert soon(lambda: bool(failed))
            clock.turn(LEASE + timedelta(seconds=1))
            assert soon(lambda: rows(clinic, Instance)[0].result == "told")
        finally:
            worker.stop()
        assert len(receiver.asked) == 2 and len({*keys(receiver)}) == 1 and sound(clinic)


def test_of_two_workers_one_sends_a_call(clinic: Clinic) -> None:
    many = 12
    with receiving(says(200)) as receiver:
        ring = ring_in(clinic, receiver, TELL, {**TELL, "key": "again"}, END)
        ring.client.limits = Limits(connect=60, read=60, total=60)
        for number in range(many):
            clinic.lead(f"客户{number}")
        workers = [Worker(clinic.database, client=ring.client) for _ in range(2)]
        for one in workers:
            one.start()
        try:
            assert soon(lambda: [one.result for one in ring.instances()] == ["told"] * many)
        finally:
            for one in workers:
                one.stop()
        assert len(receiver.asked) == len({*keys(receiver)}) == 2 * many
        assert {call.tries for call in ring.calls()} == {1} and sound(clinic)
