"""What makes a form sound, beyond the shape its JSON Schema asks for."""

from collections.abc import Callable, Iterator
from typing import Any

from sqlalchemy.orm import Session

from ..store.errors import Problem
from .fields import FIELD_TYPES, MANY, FieldType, encrypted
from .form import read_form
from .form_fill_check import check_fill
from .form_rows_check import check_rows, subform
from .form_scope import coming_forms
from .formulas import formula_problems
from .known import Document, known
from .live import check_live, live_keys
from .options import Text, folded
from .schema_check import At, missing, pattern_fault, problem_at, twice
from .serial import serial_fault

# Words a formula, a flow or a browser already gives a meaning.
RESERVED = frozenset(
    "and or not in null true false parent this me constructor prototype hasownproperty".split()
)
TEXT_WORDS = ("minLength", "maxLength", "pattern")
NUMBER_WORDS = ("minimum", "maximum", "x-scale")
LIST_WORDS = ("items", "uniqueItems", "minItems", "maxItems")
NUMBERS = ("number", "money", "percent")
LIMITS = (("minLength", "maxLength"), ("minimum", "maximum"), ("minItems", "maxItems"))
PLAIN_TEXTS = ("text", "longtext")
Found = Iterator[Problem]


def check_structure(session: Session, document: Document) -> list[Problem]:
    """Problems with fields, layout, options and references; formulas have a check of their own."""
    found: list[Problem] = []
    for key, field in document["properties"].items():
        at = ("properties", key)
        found += _field(session, key, field, document, at)
        if field["x-widget"] == "subform" and not found:
            found += check_rows(field, at)
            rows = field["items"]
            for each, its in rows["properties"].items():
                inner = (*at, "items", "properties", each)
                found += _field(session, each, its, {**rows, "key": document["key"]}, inner)
    for whole in (_required, _layout, _named_fields, _matches, _listed, _rules):
        found += whole(document)
    return found or list(check_live(document, live_keys(read_form(document).fields)))


def _field(
    session: Session, key: str, field: Document, document: Document, at: At
) -> list[Problem]:
    found: list[Problem] = []
    for judge in FIELD_CHECKS:
        found += judge(key, field, document, at)
    found += check_fill(session, key, field, document, at)
    return [*found, *_options(session, field, document, at)]


FieldCheck = Callable[[str, Document, Document, At], Found]


def _name(key: str, field: Document, document: Document, at: At) -> Found:
    if key in RESERVED:
        yield problem_at(at, "E_RESERVED", name=key)


def _shape(key: str, field: Document, document: Document, at: At) -> Found:
    """The JSON type fits the widget, and only keywords that mean something to it are there."""
    kind = FIELD_TYPES[field["x-widget"]]
    hoped = _json_type(kind, field)
    if field["type"] != hoped:
        yield problem_at((*at, "type"), "E_WIDGET_TYPE", widget=kind.name, type=hoped)
    items = field.get("items", {}).get("type")
    if kind.storage == "rows":
        if items != "object" or "uniqueItems" in field:
            yield problem_at((*at, "items"), "E_ROWS_SHAPE")
    elif kind.json == "array" and not (field.get("uniqueItems") and items == "string"):
        yield problem_at(at, "E_CHOICES_SHAPE")
    idle = set(field) & set((*TEXT_WORDS, *NUMBER_WORDS, *LIST_WORDS, "x-serial"))
    for word in sorted(idle - set(_words_of(kind))):
        yield problem_at((*at, word), "E_IDLE_KEYWORD", name=word, widget=kind.name)


def _json_type(kind: FieldType, field: Document) -> str:
    """A number without decimals is a JSON integer; with decimals it is a text."""
    if kind.storage != "scaled":
        return kind.json
    scale = field.get("x-scale", 0 if field["type"] == "integer" else kind.scale)
    return "integer" if scale == 0 else "string"


def _words_of(kind: FieldType) -> tuple[str, ...]:
    if kind.name in PLAIN_TEXTS:
        return TEXT_WORDS
    if kind.name in NUMBERS:
        return NUMBER_WORDS
    return LIST_WORDS if kind.json == "array" else ("x-serial",) if kind.generated else ()


def _limits(key: str, field: Document, document: Document, at: At) -> Found:
    for least, most in LIMITS:
        if least in field and most in field and field[least] > field[most]:
            yield problem_at((*at, least), "E_LIMITS", least=field[least], most=field[most])
    longest = FIELD_TYPES[field["x-widget"]].longest
    if field["x-widget"] in PLAIN_TEXTS and field.get("maxLength", 0) > longest:
        yield problem_at((*at, "maxLength"), "E_LONGEST", most=longest)
    if "pattern" in field and (code := pattern_fault(field["pattern"])):
        yield problem_at((*at, "pattern"), code)


def _behaviour(key: str, field: Document, document: Document, at: At) -> Found:
    """Required, hidden and computed do not contradict one another."""
    kind = FIELD_TYPES[field["x-widget"]]
    required = key in document.get("required", ())
    if required and "x-visible" in field:
        yield problem_at((*at, "x-visible"), "E_HIDDEN_REQUIRED", name=key)
    if required and "x-required" in field:
        yield problem_at((*at, "x-required"), "E_REQUIRED_TWICE", name=key)
    given = "x-value" in field or kind.generated
    if given or field.get("x-written-by") == "flow":
        if required or "x-required" in field:
            yield problem_at(at, "E_REQUIRED_GIVEN", name=key)
    if given:
        for word in sorted({"x-default", "x-enabled", "x-written-by", "x-fill"} & set(field)):
            yield problem_at((*at, word), "E_COMPUTED_ONLY", name=word)
    if kind.generated and "x-value" in field:
        yield problem_at((*at, "x-value"), "E_COMPUTED_ONLY", name="x-value")


def _column(key: str, field: Document, document: Document, at: At) -> Found:
    storage = FIELD_TYPES[field["x-widget"]].storage
    column = field.get("x-column", {})
    for word in sorted(column):
        if column[word] and storage in MANY:
            yield problem_at((*at, "x-column", word), "E_COLUMN", widget=field["x-widget"])
    if encrypted(field) and storage != "text":
        yield problem_at((*at, "x-encrypted"), "E_ENCRYPTED", widget=field["x-widget"])
    if encrypted(field) and column.get("index"):
        yield problem_at((*at, "x-column", "index"), "E_ENCRYPTED", widget=field["x-widget"])
    if isinstance(column.get("unique"), list):
        yield from _unique_within(key, column["unique"], document, (*at, "x-column", "unique"))


def _unique_within(key: str, scope: list[str], document: Document, at: At) -> Found:
    """Each is a field of one value that a column compares; `unit` is the record's own unit, of a
    row `parent` its record."""
    fields = document["properties"]
    in_rows = "items" in at
    for position, name in enumerate(scope):
        its = fields.get(name)
        if name == "unit" and not (in_rows and its):
            sound = not in_rows and (its is None or document.get("x-unit") == name)
        elif name == "parent":
            sound = in_rows
        elif its is None:
            yield problem_at((*at, position), "E_NO_FIELD", **missing(name, fields))
            continue
        else:
            many = FIELD_TYPES[its["x-widget"]].storage in MANY
            sound = name != key and not many and not encrypted(its)
        if not sound:
            yield problem_at((*at, position), "E_UNIQUE_WITHIN", name=name)


def _serial(key: str, field: Document, document: Document, at: At) -> Found:
    if field["x-widget"] != "serial":
        return
    if "x-serial" not in field:
        yield problem_at(at, "E_SERIAL_MISSING", name=key)
    elif fault := serial_fault(field["x-serial"]):
        yield problem_at((*at, "x-serial"), fault)


def _file(key: str, field: Document, document: Document, at: At) -> Found:
    """No formula and no flow makes a file."""
    if FIELD_TYPES[field["x-widget"]].holds_files:
        for word in sorted({"x-value", "x-default", "x-written-by"} & set(field)):
            yield problem_at((*at, word), "E_FILE_COMPUTED", name=word)


FIELD_CHECKS: tuple[FieldCheck, ...] = (
    _name,
    _shape,
    _limits,
    _behaviour,
    _column,
    _serial,
    _file,
    subform,
)


def _options(session: Session, field: Document, document: Document, at: At) -> Found:
    widget, options = field["x-widget"], field.get("x-options")
    wanted = {"choice": ("fixed", "list"), "choices": ("fixed", "list"), "link": ("form",)}
    if options is None:
        if widget in wanted:
            yield problem_at(at, "E_OPTIONS_MISSING", widget=widget)
        return
    at = (*at, "x-options")
    if options["source"] not in wanted.get(widget, ()):
        yield problem_at(
            (*at, "source"), "E_OPTIONS_SOURCE", widget=widget, source=options["source"]
        )
    elif options["source"] == "fixed":
        yield from check_items(options["items"], (*at, "items"))
    elif options["source"] == "list" and known(session, "list", options["list"]) is None:
        yield problem_at((*at, "list"), "E_NO_LIST", name=options["list"])
    elif options["source"] == "form" and options["form"] != document["key"]:
        if known(session, "form", options["form"]) is None:
            yield problem_at((*at, "form"), "E_NO_FORM", name=options["form"])


def check_items(items: list[Any], at: At) -> Found:
    """Options: no key twice, and no label twice in a language, or a cell could mean either."""
    for position, key in twice(item["key"] for item in items):
        yield problem_at((*at, position, "key"), "E_KEY_TWICE", name=key)
    for language in ("zh-CN", "en"):
        labels = [_label(item["title"], language) for item in items]
        for position, label in twice(label for label in labels if label):
            if label not in labels[:position]:  # an item without this language shifts positions
                position = labels.index(label, labels.index(label) + 1)
            yield problem_at((*at, position, "title"), "E_LABEL_TWICE", name=label)


def _label(title: Text, language: str) -> str:
    return folded(title if isinstance(title, str) else title.get(language, ""))


def _required(document: Document) -> Found:
    fields = document["properties"]
    for position, key in enumerate(document.get("required", ())):
        if key not in fields:
            yield problem_at(("required", position), "E_NO_FIELD", **missing(key, fields))


def _layout(document: Document) -> Found:
    """Every field stands in the layout once."""
    fields, sections = document["properties"], document["x-layout"]
    for position, key in twice(section["key"] for section in sections):
        yield problem_at(("x-layout", position, "key"), "E_KEY_TWICE", name=key)
    seen: set[str] = set()
    for number, section in enumerate(sections):
        for position, key in enumerate(section["fields"]):
            at = ("x-layout", number, "fields", position)
            if key not in fields:
                yield problem_at(at, "E_NO_FIELD", **missing(key, fields))
            elif key in seen:
                yield problem_at(at, "E_LAYOUT_TWICE", name=key)
            seen.add(key)
    for key in fields:
        if key not in seen:
            yield problem_at(("properties", key), "E_LAYOUT_MISSING", name=key)


def _named_fields(document: Document) -> Found:
    """x-label, x-unit and x-owner name a field of the right kind."""
    fields = document["properties"]
    kinds = {"x-unit": ("unit",), "x-owner": ("person",), "x-label": ("text", "serial", "phone")}
    for word, widgets in kinds.items():
        name = document.get(word)
        if name is None:
            continue
        if name not in fields:
            yield problem_at((word,), "E_NO_FIELD", **missing(name, fields))
        elif fields[name]["x-widget"] not in widgets:
            yield problem_at((word,), "E_FIELD_KIND", name=name, widgets=", ".join(widgets))
        elif encrypted(fields[name]):
            yield problem_at((word,), "E_ENCRYPTED", widget=fields[name]["x-widget"])


def _matches(document: Document) -> Found:
    fields = document["properties"]
    for number, group in enumerate(document.get("x-match", ())):
        for position, part in enumerate(group):
            name, _, unit = part.partition(":")
            at = ("x-match", number, position)
            widget = fields.get(name, {}).get("x-widget")
            if widget is None:
                yield problem_at(at, "E_NO_FIELD", **missing(name, fields))
            elif unit and widget not in ("date", "datetime"):
                yield problem_at(at, "E_FIELD_KIND", name=name, widgets="date, datetime")
            elif FIELD_TYPES[widget].storage in MANY or encrypted(fields[name]):
                yield problem_at(at, "E_MATCH", name=name)


def _listed(document: Document) -> Found:
    """x-listed names fields that a column of a list may show."""
    fields = document["properties"]
    for position, name in enumerate(document.get("x-listed", ())):
        at = ("x-listed", position)
        if name not in fields:
            yield problem_at(at, "E_NO_FIELD", **missing(name, fields))
        elif FIELD_TYPES[fields[name]["x-widget"]].storage == "rows":
            yield problem_at(at, "E_NOT_LISTED", name=name)


def _rules(document: Document) -> Found:
    fields, rules = document["properties"], document.get("x-rules", ())
    for position, key in twice(rule["key"] for rule in rules):
        yield problem_at(("x-rules", position, "key"), "E_KEY_TWICE", name=key)
    for position, rule in enumerate(rules):
        name = rule.get("field")
        if name is not None and name not in fields:
            yield problem_at(("x-rules", position, "field"), "E_NO_FIELD", **missing(name, fields))


def check_form(session: Session, document: Document) -> list[Problem]:
    """Everything wrong with a form whose JSON Schema holds; formulas once the fields are sound."""
    return check_structure(session, document) or formula_problems(
        read_form(document), coming_forms(session)
    )
