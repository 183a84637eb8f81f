"""Fault: why one value will not do, as a code and parameters; the catalogue has the words."""


class Fault(Exception):
    """A value was refused. `code` is E_…; `params` fill the catalogue entry `problem.<code>`."""

    def __init__(self, code: str, **params: object) -> None:
        super().__init__(code, params)
        self.code = code
        self.params: dict[str, object] = params
