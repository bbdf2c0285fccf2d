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

    def __repr__(self):
        return "Row(" + ", ".join(f"{name}={cell!r}" for name, cell in zip(self.__fields__, self)) + ")"

    def asDict(self, recursive=False):
        return dict(zip(self.__fields__, self))


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
    inner = parts(kind[kind.index("<") + 1 : kind.rindex(">")])
    if base == "ARRAY":
        return [cell_of(one, inner[0]) for one in value]
    if base == "MAP":
        return {cell_of(key, inner[0]): cell_of(one, inner[1]) for key, one in value.items()}
    fields = [field.split(":", 1) for field in inner]
    names = [name.strip().strip("`") for name, _ in fields]
    return Row(names, [cell_of(value.get(name), kind.strip()) for name, (_, kind) in zip(names, fields)])


def parts(text):
    """The types between the commas, but not those inside another type."""
    found, depth = [""], 0
    for character in text:
        depth += (character in "<(") - (character in ">)")
        if character == "," and depth == 0:
            found.append("")
        else:
            found[-1] += character
    return [part.strip() for part in found]


def shown_cell(text, kind):
    if text is None:
        return "NULL"
    return str(cell_of(text, kind)) if kind.startswith("TIMESTAMP") else text


