"""What a hole is: one defence, and the change of text that takes it away."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hole:
    """One defence taken away in a copy of the package.

    name: the defence. file: where it stands, from the root. text: what stands there, exactly once
    (`times`: so often); instead: what is put in its place. tests: ids of tests, from `tests/`,
    that pass as long as the defence stands; at least one of them must fail without it, by what it
    asserts. shows: what else may be raised in it, where another defence steps in.
    """

    name: str
    file: str
    text: str
    instead: str
    tests: tuple[str, ...]
    times: int = 1
    shows: str = ""

    def cut(self, source: str) -> str:
        """The source with the hole in it. Raises Moved when the text is not there (any more)."""
        found = source.count(self.text)
        if found != self.times:
            raise Moved(f"{self.name}: {self.file} has its text {found} times, not {self.times}")
        return source.replace(self.text, self.instead)


class Moved(AssertionError):
    """The text of a defence is not where the table says: look where it went and write it anew."""
