"""Text to tree: the grammar stands in grammar.lark, the limits in limits.py."""

from __future__ import annotations

import re
import threading
import unicodedata
from decimal import Decimal
from functools import lru_cache
from pathlib import Path

from lark import Lark, Token, Transformer
from lark.exceptions import UnexpectedCharacters, UnexpectedToken, VisitError

from . import limits
from .errors import ExpressionError
from .tree import Call, Listing, Literal, Member, Name, Node, Place

GRAMMAR = Path(__file__).with_name("grammar.lark")
SIGNS = {
    "EQ": "=", "NE": "<>", "LT": "<", "LE": "<=", "GT": ">", "GE": ">=", "AMP": "&",
    "PLUS": "+", "MINUS": "-", "STAR": "*", "SLASH": "/", "AND": "AND", "OR": "OR",
    "NOT": "NOT", "IN": "IN",
}  # fmt: skip
# Control characters, surrogates and the marks that reorder text on screen have no place in a rule.
REFUSED = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\u202a-\u202e\u2066-\u2069]"
)
WIDE = re.compile("[\uff10-\uff19\uff21-\uff3a\uff41-\uff5a\uff3f\uff66-\uffdc]")
SHOWN = {
    "LPAR": "(", "RPAR": ")", "_COMMA": ",", "_DOT": ".", "NUMBER": "1", "STRING": '"…"',
    "LABEL": "{…}", "WORD": "name", **SIGNS,
}  # fmt: skip


def parse(text: str) -> Node:
    """The tree of an expression, cached; raises ExpressionError with the place."""
    if len(text) > limits.CHARACTERS:
        raise ExpressionError("E_LENGTH", Place(0, len(text), 1, 1), limit=limits.CHARACTERS)
    return _parse(text)


@lru_cache(maxsize=4096)
def _parse(text: str) -> Node:
    if not text.strip():
        raise ExpressionError("E_EMPTY", Place(0, len(text), 1, 1))
    refused = REFUSED.search(text)
    if refused:
        raise ExpressionError("E_CHARACTER", _at(text, refused.start()), found=_code(refused[0]))
    _check_nesting(text)
    try:
        node: Node = _lark().parse(text)  # type: ignore[assignment]
    except UnexpectedToken as error:
        raise _unexpected(text, error) from None
    except UnexpectedCharacters as error:
        raise _strange(text, error.pos_in_stream or 0) from None
    except VisitError as error:
        if isinstance(error.orig_exc, ExpressionError):
            raise error.orig_exc from None
        raise
    if _count(node) > limits.NODES:
        raise ExpressionError("E_NODES", _whole(text), limit=limits.NODES)
    return node


_building = threading.Lock()


def _lark() -> Lark:
    """The parser, built by whoever needs it first while the others wait: building reads literals of
    Python, and until 3.11.9 and 3.12.3 two threads that do so at once may get a SystemError
    (gh-106905)."""
    with _building:
        return _built()


@lru_cache(maxsize=1)
def _built() -> Lark:
    return Lark(GRAMMAR.read_text("utf-8"), parser="lalr", transformer=_Builder())


def _place(first: Token, last: Token | None = None) -> Place:
    end = (last or first).end_pos
    return Place(first.start_pos or 0, end or 0, first.line or 1, first.column or 1)


def _span(first: Node, last: Node) -> Place:
    here = first.place
    return Place(here.start, last.place.end, here.line, here.column)


def _deep(place: Place, *below: Node) -> int:
    depth = 1 + max((node.depth for node in below), default=0)
    if depth > limits.DEPTH:
        raise ExpressionError("E_DEPTH", place, limit=limits.DEPTH)
    return depth


class _Builder(Transformer[Token, Node]):
    """Builds our nodes while Lark parses, so no second walk is needed."""

    def number(self, items: list[Token]) -> Node:
        (token,) = items
        if len(token) <= 15 and token.isdigit():
            return Literal(Decimal(token.value), _place(token))
        digits = re.sub("[eE].*", "", token).replace(".", "").strip("0")
        exponent = re.search("[eE](.*)", token)
        power = int(exponent[1]) if exponent and len(exponent[1]) < 6 else 0
        value = Decimal(token.value) if abs(power) < 1000 else None
        small = value is not None and value.adjusted() < limits.DIGITS
        if value is None or not small or len(digits) > limits.DIGITS or _decimals(value) > 28:
            raise ExpressionError("E_NUMBER", _place(token), found=token.value[:40])
        return Literal(value, _place(token))

    def string(self, items: list[Token]) -> Node:
        (token,) = items
        body = token.value[1:-1]
        if token.value[0] == '"':
            body = body.replace('""', '"')
        body = body if body.isascii() else unicodedata.normalize("NFC", body)
        return Literal(body, _place(token))

    def true(self, items: list[Token]) -> Node:
        return Literal(True, _place(items[0]))

    def false(self, items: list[Token]) -> Node:
        return Literal(False, _place(items[0]))

    def null(self, items: list[Token]) -> Node:
        return Literal(None, _place(items[0]))

    def name(self, items: list[Token]) -> Node:
        (token,) = items
        return Name(_word(token), False, _place(token))

    def label(self, items: list[Token]) -> Node:
        (token,) = items
        return Name(_label(token), True, _place(token))

    def member(self, items: list[Node | Token]) -> Node:
        base, token = items
        assert isinstance(token, Token) and not isinstance(base, Token)
        labelled = token.type == "LABEL"
        text = _label(token) if labelled else _word(token)
        place = Place(base.place.start, token.end_pos or 0, base.place.line, base.place.column)
        return Member(base, text, labelled, place, _deep(place, base))

    def arguments(self, items: list[Node | list[Node]]) -> list[Node]:
        first = items[0]
        nodes = first if isinstance(first, list) else [first]
        for item in items[1:]:
            assert not isinstance(item, list)
            nodes.append(item)
        return nodes

    def call(self, items: list[Token | list[Node]]) -> Node:
        head, last = items[0], items[-1]
        assert isinstance(head, Token) and isinstance(last, Token)
        args = tuple(node for item in items[1:-1] if isinstance(item, list) for node in item)
        name = _word(head) if head.type == "WORD" else SIGNS[head.type]
        place = _place(head, last)
        return Call(name, args, place, _place(head), _deep(place, *args))

    def binary(self, items: list[Node | Token]) -> Node:
        left, sign, right = items
        assert isinstance(sign, Token)
        assert not isinstance(left, Token) and not isinstance(right, Token)
        place = _span(left, right)
        depth = _deep(place, left, right)
        return Call(SIGNS[sign.type], (left, right), place, _place(sign), depth)

    def not_in(self, items: list[Node | Token]) -> Node:
        left, word, sign, right = items
        inner = self.binary([left, sign, right])
        assert isinstance(word, Token)
        return Call("NOT", (inner,), inner.place, _place(word), _deep(inner.place, inner))

    def unary(self, items: list[Node | Token]) -> Node:
        sign, node = items
        assert isinstance(sign, Token) and not isinstance(node, Token)
        if sign.type == "NOT" and isinstance(node, Listing):
            raise ExpressionError("E_ARGUMENTS", node.place, name="NOT", wanted="1", found="2+")
        if sign.type == "MINUS" and isinstance(node, Literal) and isinstance(node.value, Decimal):
            place = Place(sign.start_pos or 0, node.place.end, sign.line or 1, sign.column or 1)
            return Literal(-node.value, place)
        place = Place(sign.start_pos or 0, node.place.end, sign.line or 1, sign.column or 1)
        name = "NOT" if sign.type == "NOT" else "NEG"
        return Call(name, (node,), place, _place(sign), _deep(place, node))

    def plus(self, items: list[Node | Token]) -> Node:
        sign, node = items
        assert isinstance(sign, Token) and not isinstance(node, Token)
        place = Place(sign.start_pos or 0, node.place.end, sign.line or 1, sign.column or 1)
        return Call("POS", (node,), place, _place(sign), _deep(place, node))

    def group(self, items: list[Node | Token]) -> Node:
        node = items[1]
        assert not isinstance(node, Token)
        return node

    def listing(self, items: list[Node | Token | list[Node]]) -> Node:
        first, opened, closed = items[1], items[0], items[-1]
        assert isinstance(opened, Token) and isinstance(closed, Token)
        rest = items[2]
        assert isinstance(rest, list) and not isinstance(first, Token | list)
        nodes = (first, *rest)
        place = _place(opened, closed)
        return Listing(nodes, place, _deep(place, *nodes))


def _decimals(value: Decimal) -> int:
    exponent = value.as_tuple().exponent
    return -exponent if isinstance(exponent, int) and value else 0


def _word(token: Token) -> str:
    if token.isascii():
        return str(token.value)
    if WIDE.search(token.value):
        raise ExpressionError("E_FULLWIDTH", _place(token), name=token.value)
    return unicodedata.normalize("NFC", token.value)


def _label(token: Token) -> str:
    return unicodedata.normalize("NFC", token.value[1:-1].strip())


def _check_nesting(text: str) -> None:
    """Brackets of any depth would still parse (LALR has no recursion), so they are counted here."""
    if text.count("(") + text.count("（") <= limits.DEPTH:
        return
    depth, quote = 0, ""
    for offset, char in enumerate(text):
        if quote:
            quote = "" if char == quote else quote
        elif char in '"“＂':
            quote = "”" if char == "“" else char
        elif char in "(（":
            depth += 1
            if depth > limits.DEPTH:
                raise ExpressionError("E_DEPTH", _at(text, offset), limit=limits.DEPTH)
        elif char in ")）":
            depth -= 1


def _count(node: Node) -> int:
    total, stack = 0, [node]
    while stack:
        here = stack.pop()
        total += 1
        if isinstance(here, Call):
            stack.extend(here.args)
        elif isinstance(here, Listing):
            stack.extend(here.items)
        elif isinstance(here, Member):
            stack.append(here.base)
    return total


def _at(text: str, offset: int, length: int = 1) -> Place:
    line = text.count("\n", 0, offset) + 1
    column = offset - (text.rfind("\n", 0, offset) + 1) + 1
    return Place(offset, min(offset + length, len(text)), line, column)


def _whole(text: str) -> Place:
    return Place(0, len(text), 1, 1)


def _code(char: str) -> str:
    return f"U+{ord(char):04X}"


def _strange(text: str, offset: int) -> ExpressionError:
    """No terminal begins here: an unclosed string, a wide letter, or simply a wrong sign."""
    char = text[offset] if offset < len(text) else ""
    if char in '"“＂':
        return ExpressionError("E_STRING", Place(*_open_end(text, offset)))
    if WIDE.match(char):
        return ExpressionError("E_FULLWIDTH", _at(text, offset), name=char)
    return ExpressionError("E_CHARACTER", _at(text, offset), found=char)


def _open_end(text: str, offset: int) -> tuple[int, int, int, int]:
    place = _at(text, offset)
    return place.start, len(text), place.line, place.column


def _unexpected(text: str, error: UnexpectedToken) -> ExpressionError:
    token = error.token
    hoped = " ".join(sorted({SHOWN[name] for name in error.expected if name in SHOWN}))
    if token.type == "$END":
        return ExpressionError("E_END", _at(text, len(text)), expected=hoped)
    if WIDE.search(token.value):
        return ExpressionError("E_FULLWIDTH", _place(token), name=token.value)
    return ExpressionError("E_SYNTAX", _place(token), found=token.value[:40], expected=hoped)


@lru_cache(maxsize=4096)
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a text that parses, with their places."""
    return tuple(_lark().lex(text))
