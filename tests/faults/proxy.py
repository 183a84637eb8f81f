"""A wire between two programs that can be made slow, cut, or held so that nothing comes through."""

import ctypes
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress

SO_ATTACH_FILTER = 26  # Linux; Python has no name for it
_RETURN_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
_DROP_ALL = struct.pack("HL", 1, ctypes.addressof(_RETURN_NOTHING))
"""A filter of one instruction: of every packet nothing is passed on."""
HOLDS_FOR = 0.02  # seconds between two looks whether anything may pass


class Proxy:
    """Listens at `port` of 127.0.0.1 and passes on what comes to another port there.

    delay: seconds that everything takes each way. held: nothing passes, and nobody is told.
    refused: who comes is sent away. cut_at: asked of each piece that comes, and whether it goes to
    the other port; at the first yes the piece is lost and every connection breaks.
    """

    def __init__(self, target: int) -> None:
        self._target = target
        self.delay = 0.0
        self.held = False
        self.refused = False
        self.cut_at: Callable[[bytes, bool], bool] | None = None
        self._ends: list[socket.socket] = []
        self._deaf: set[socket.socket] = set()
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._door.getsockname()[1]
        self._start(self._accept)

    def cut(self) -> None:
        """Every connection there is breaks; new ones may come."""
        ends, self._ends = self._ends, []
        for end in ends:
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def deafen(self) -> None:
        """What comes in on the connections there are is dropped unread and unacknowledged, as by a
        cable that is pulled: neither side is told that the other is gone."""
        for end in self._ends:
            end.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _DROP_ALL)
        self._deaf.update(self._ends)

    def close(self) -> None:
        self.refused = True
        self._door.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                near, _ = self._door.accept()
            except OSError:
                return
            if self.refused:
                near.close()
                continue
            far = socket.create_connection(("127.0.0.1", self._target))
            self._ends += [near, far]
            self._start(self._pass_on, near, far, True)
            self._start(self._pass_on, far, near, False)

    def _pass_on(self, source: socket.socket, target: socket.socket, there: bool) -> None:
        with suppress(OSError):
            while words := source.recv(65536):
                if self.cut_at is not None and self.cut_at(words, there):
                    self.cut_at = None
                    self.cut()
                time.sleep(self.delay)
                while self.held and not self.refused:
                    time.sleep(HOLDS_FOR)
                if target not in self._deaf:
                    target.sendall(words)
        with suppress(OSError):
            target.shutdown(socket.SHUT_RDWR)

    @staticmethod
    def _start(work: object, *given: object) -> None:
        threading.Thread(target=work, args=given, daemon=True).start()  # type: ignore[arg-type]
