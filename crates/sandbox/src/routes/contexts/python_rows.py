# Rows of the SQL engine as Spark has them: from texts and the names of their types.
import base64
import datetime
import decimal
import json
import re


class Row(tuple):
    """A row whose cells have names."""

    def __new__(cls, names, cells):
        row = super().__new__(cls, cells)
        row.__fields__ = list(names)
        return row

    def __getitem__(self, key):
        if isinstance(key, str):
            if key not in self.__fields__:
                raise ValueError(key)
            key = self.__fields__.index(key)
        return super().__getitem__(key)

    def __getattr__(self, name):
        if name.startswith("__") or name not in self.__fields__:
            raise AttributeError(name)
        return self[name]

    def __contains__(self, item):
        return item in self.__fields__

    def __reduce__(self):
        return Row, (self.__fields__, tuple(self))

    def __repr__(self):
        return "Row(" + ", ".join(f"{name}={cell!r}" for name, cell in zip(self.__fields__, self)) + ")"

    def asDict(self, recursive=False):
        return dict(zip(self.__fields__, map(as_dict, self) if recursive else self))


def as_dict(value):
    """A cell whose rows are dictionaries."""
    if isinstance(value, Row):
        return value.asDict(True)
    if isinstance(value, list):
        return [as_dict(one) for one in value]
    if isinstance(value, dict):
        return {key: as_dict(one) for key, one in value.items()}
    return value


def cell_of(value, kind):
    """A cell in Python's words, from its text and the SQL type. Structs are rows, as with Spark."""
    base = re.match(r"\w+", kind)[0]
    if value is None:
        return None
    if base in ("ARRAY", "MAP", "STRUCT"):
        return nested(json.loads(value) if isinstance(value, str) else value, base, kind)
    if base in ("TINYINT", "SMALLINT", "INT", "BIGINT"):
        return int(value)
    if base in ("FLOAT", "DOUBLE"):
        return float(value)
    if base == "BOOLEAN":
        return value in (True, "true")
    if base == "DECIMAL":
        return decimal.Decimal(value)
    if base == "DATE":
        return datetime.date.fromisoformat(value)
    if base.startswith("TIMESTAMP"):
        return datetime.datetime.fromisoformat(value.replace("T", " ").removesuffix("Z"))
    if base == "BINARY":
        return bytearray(base64.b64decode(value))
    return value


def nested(value, base, kind):
    inner = inner_types(kind)
    if base == "ARRAY":
        return [cell_of(one, inner[0]) for one in value]
    if base == "MAP":
        return {cell_of(key, inner[0]): cell_of(one, inner[1]) for key, one in value.items()}
    fields = [field_of(one) for one in inner]
    return Row([name for name, _ in fields], [cell_of(value.get(name), kind) for name, kind in fields])


def inner_types(kind):
    """The types inside a type: of the element, of key and value, or of the fields with their names."""
    text = kind[kind.index("<") + 1 : kind.rindex(">")]
    found, depth, is_name = [""], 0, False
    for character in text:
        is_name ^= character == "`"
        if not is_name:
            depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0 and not is_name:
            found.append("")
        else:
            found[-1] += character
    return [part.strip() for part in found if part]


def field_of(text):
    """Name and type of a struct's field. A name that isn't a word is in backticks."""
    quoted_name, name, kind = re.fullmatch(r"(?:`((?:[^`]|``)*)`|([^:`]*)):\s*(.*)", text, re.DOTALL).groups()
    return (name if quoted_name is None else quoted_name.replace("``", "`")), kind


META = str.maketrans({"\n": r"\n", "\r": r"\r", "\t": r"\t", "\f": r"\f", "\b": r"\b", "\v": r"\v", "\a": r"\a"})


def shown_cell(value, kind):
    """A cell as `show` prints it: its text, as Spark casts it."""
    if value is None:
        return "NULL"
    base = re.match(r"\w+", kind)[0]
    if base in ("ARRAY", "MAP", "STRUCT"):
        value = json.loads(value) if isinstance(value, str) else value
        inner = inner_types(kind)
    if base == "ARRAY":
        return "[" + ", ".join(shown_cell(one, inner[0]) for one in value) + "]"
    if base == "MAP":
        cells = ((shown_cell(key, inner[0]), shown_cell(one, inner[1])) for key, one in value.items())
        return "{" + ", ".join(f"{key} -> {one}" for key, one in cells) + "}"
    if base == "STRUCT":
        return "{" + ", ".join(shown_cell(value.get(name), kind) for name, kind in map(field_of, inner)) + "}"
    if base == "BINARY":
        return "[" + base64.b64decode(value).hex(" ").upper() + "]"
    if base.startswith("TIMESTAMP"):
        return value.replace("T", " ").removesuffix("Z").rstrip("0").rstrip(".")
    return str(value).translate(META)


NAMES = {"bigint": "long", "int": "integer", "smallint": "short", "tinyint": "byte"}


def schema_lines(name, kind, nullable="nullable", start=" |"):
    """The lines of `printSchema` for a column, and for what is in it."""
    base = re.match(r"\w+", kind)[0]
    named = base if base in ("array", "map", "struct") else NAMES.get(kind, kind)
    yield f"{start}-- {name}: {named}" + (f" ({nullable} = true)" if nullable else "")
    start += "    |"
    if base == "array":
        yield from schema_lines("element", inner_types(kind)[0], "containsNull", start)
    elif base == "map":
        key, value = inner_types(kind)
        yield from schema_lines("key", key, None, start)
        yield from schema_lines("value", value, "valueContainsNull", start)
    elif base == "struct":
        for name, kind in map(field_of, inner_types(kind)):
            yield from schema_lines(name, kind.removesuffix(" not null"), start=start)


