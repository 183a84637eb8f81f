"""The formula language: parse, check, evaluate, lower to SQL, hand to the browser."""

from .browser import to_json
from .check import Typed, check
from .columns import Columns, Joined, Link, Rows
from .environment import Env, Me, Search
from .errors import ExpressionError
from .evaluate import compile
from .parse import parse
from .scope import (
    ANY,
    BLANK,
    BOOL,
    DATE,
    DATETIME,
    DURATION,
    MONEY,
    NUMBER,
    PERSON,
    TEXT,
    TIME,
    Scope,
    Type,
    list_of,
    number,
    row,
)
from .sql import to_sql
from .tree import Node

__all__ = [
    "ANY", "BLANK", "BOOL", "DATE", "DATETIME", "DURATION", "MONEY", "NUMBER", "PERSON", "TEXT",
    "TIME", "Columns", "Env", "ExpressionError", "Joined", "Link", "Me", "Node", "Rows", "Scope",
    "Search", "Type", "Typed", "check", "compile", "list_of", "number", "parse", "row", "to_json",
    "to_sql",
]  # fmt: skip
