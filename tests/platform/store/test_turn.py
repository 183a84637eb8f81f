"""A turn goes to whoever asked first, and is never lost."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from careloom.platform.store.turn import Turn


def test_the_turn_goes_round_in_the_order_of_asking() -> None:
    turn, order = Turn(), []
    threads = []
    with turn:
        for number in range(8):
            thread = threading.Thread(target=lambda n=number: take(turn, order, n))
            thread.start()
            threads.append(thread)
            while turn.waiting <= number:
                time.sleep(0.001)
    for thread in threads:
        thread.join()
    assert order == list(range(8))


def take(turn: Turn, order: list[int], number: int) -> None:
    with turn:
        order.append(number)


def test_only_one_holds_it_at_a_time() -> None:
    turn, inside, most = Turn(), 0, 0

    def enter(_: int) -> None:
        nonlocal inside, most
        with turn:
            inside += 1
            most = max(most, inside)
            time.sleep(0)  # lets the others try to come in
            inside -= 1

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(enter, range(500)))
    assert (most, turn.waiting) == (1, 0)


def test_one_who_gives_up_waiting_neither_keeps_nor_loses_the_turn() -> None:
    turn = Turn()
    with turn:
        ticket = threading.Lock()
        turn._queue.append(ticket)
        turn._give_up(ticket)
        assert turn.waiting == 0
    with turn:
        pass
    with pytest.raises(RuntimeError), turn:
        raise RuntimeError
    with turn:
        pass
