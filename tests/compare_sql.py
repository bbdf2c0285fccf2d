"""One statement, three clients, one answer: brick, the vendor's SQL connector and the vendor's SDK against a sandbox.

    pip install databricks-sdk databricks-sql-connector pyarrow duckdb
    python3 tests/compare_sql.py BRICK URL TOKEN            # compares cells and types
    python3 tests/compare_sql.py BRICK URL TOKEN --big      # ten million rows: count, sums, peak memory

The connector (Arrow) is the reference for types and values, the SDK (JSON) for text. Both must agree with each other,
brick's Arrow and Parquet with the first, brick's CSV and JSON with the second but for the digits of instants, and what
pyarrow and DuckDB read from brick's files with the first again. Prints one line per check and `N passed, M failed`; exits with 1 if anything failed.
"""

import base64
import csv
import datetime
import io
import json
import logging
import math
import os
import re
import subprocess
import sys
import tempfile
import traceback
from decimal import Decimal
from pathlib import Path
from urllib.parse import urlsplit

import duckdb
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
from databricks import sql as connector
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.service import sql as service
from databricks.sql import parameters as typed
from databricks.sql.backend.sea.backend import SeaDatabricksClient
from databricks.sql.backend.types import SessionId

UTC = datetime.timezone.utc

# Each: name, statement, parameters as (name, type, text or None).
CASES = [
    (
        "integers",
        """SELECT * FROM VALUES
             (CAST(-128 AS TINYINT), CAST(-32768 AS SMALLINT), -2147483648, -9223372036854775808),
             (CAST(127 AS TINYINT), CAST(32767 AS SMALLINT), 2147483647, 9007199254740993),
             (NULL, NULL, NULL, NULL) AS t(tiny, small, mid, big)""",
        [],
    ),
    (
        "decimals",
        """SELECT CAST(-1.50 AS DECIMAL(10,2)) AS scaled, CAST(0.000001 AS DECIMAL(18,6)) AS fine,
             CAST('99999999999999999999999999999999999999' AS DECIMAL(38,0)) AS wide,
             CAST('0.00000000000000000000000000000000000001' AS DECIMAL(38,38)) AS deep,
             CAST(NULL AS DECIMAL(5,1)) AS none""",
        [],
    ),
    (
        "floats",
        """SELECT CAST(text AS DOUBLE) AS d, CAST(text AS FLOAT) AS f FROM VALUES ('NaN'), ('Infinity'), ('-Infinity'),
             ('0.1'), ('-0.0'), ('1e30'), ('1e-7'), ('16777217'), (NULL) AS t(text)""",
        [],
    ),
    (
        "dates and times",
        """SELECT CAST(day AS DATE) AS day, CAST(moment AS TIMESTAMP) AS moment, CAST(moment AS TIMESTAMP_NTZ) AS wall
             FROM VALUES ('1969-12-31', '1969-12-31 23:59:59.999999'), ('2024-02-29', '2024-03-31 02:30:00.123456'),
             ('2024-02-29', '2024-03-31 02:30:00'), (NULL, NULL) AS t(day, moment)""",
        [],
    ),
    (
        "far dates and times",
        """SELECT CAST(day AS DATE) AS day, CAST(moment AS TIMESTAMP) AS moment, CAST(moment AS TIMESTAMP_NTZ) AS wall
             FROM VALUES ('0001-01-01', '0001-01-01 00:00:00'), ('1582-10-04', '1582-10-04 12:00:00'),
             ('9999-12-31', '9999-12-31 23:59:59.999999') AS t(day, moment)""",
        [],
    ),
    (
        "binary and boolean",
        "SELECT * FROM VALUES (X'00FF80', true), (X'', false), (NULL, NULL) AS t(bytes, flag)",
        [],
    ),
    (
        "NULL and the empty text",
        "SELECT * FROM VALUES (1, '', 'NULL'), (2, NULL, 'null'), (3, ' ', ' ') AS t(n, a, b)",
        [],
    ),
    (
        "text",
        r"""SELECT * FROM VALUES ('é漢字😀'), ('e\u0301'), ('say "hi", you'), ('two\nlines'), ('crlf\r\n'), ('tab\there'),
             ('back\\slash'), ('=1+1'), ('{"a": 1}'), ('123'), ('\u0001') AS t(`spaced name, "quoted"`)""",
        [],
    ),
    (
        "nested",
        """SELECT array(1.5D, NULL) AS list, array(array('a', ''), array()) AS lists, map('k"', array('a', NULL)) AS pairs,
             named_struct('x', 9007199254740993, 'y', named_struct('none', CAST(NULL AS STRING), 'day', DATE'2024-02-29',
               'bytes', X'01FF', 'price', CAST(1 AS DECIMAL(5,2)), 'flag', true)) AS record,
             array(named_struct('at', TIMESTAMP'2024-01-01 00:00:00')) AS records, CAST(NULL AS ARRAY<INT>) AS none""",
        [],
    ),
    ("names that come twice", "SELECT 1 AS a, 'x' AS a, 3 AS a_2, 4 AS A, NULL AS none", []),
    ("several chunks", "SELECT id, id * 3 AS x, concat('row ', id) AS name FROM range(30000) ORDER BY id", []),
    (
        "no rows",
        """SELECT * FROM (SELECT 1 AS n, CAST(1 AS DECIMAL(10,2)) AS price, 'a' AS s, X'01' AS bytes,
             TIMESTAMP'2024-01-01 00:00:00' AS moment, array(1) AS list, map('a', array(1.5D)) AS pairs,
             named_struct('x', 1, 'of, "odd" name', array('a')) AS record) WHERE n > 1""",
        [],
    ),
    (
        "parameters",
        "SELECT :n AS n, :s AS s, :price AS price, :day AS day, :moment AS moment, :flag AS flag, :none AS none, :d AS d",
        [
            ("n", "BIGINT", "9007199254740993"),
            ("s", "STRING", "it's \"é漢😀\" :n = ?"),
            ("price", "DECIMAL(10,2)", "12345678.90"),
            ("day", "DATE", "2024-02-29"),
            ("moment", "TIMESTAMP", "2024-03-31 02:30:00.123456"),
            ("flag", "BOOLEAN", "true"),
            ("none", "VOID", None),
            ("d", "DOUBLE", "0.1"),
        ],
    ),
    ("a table", "SELECT * FROM samples.nyctaxi.trips ORDER BY 1, 2, 3 LIMIT 2000", []),
]


def own_session():
    # Sessions are no part of the public API, and the sandbox has none: the connector's statements run without.
    SeaDatabricksClient.open_session = lambda self, *_, **__: SessionId.from_sea_session_id("none")
    SeaDatabricksClient.close_session = lambda self, _: None
    SeaDatabricksClient.close_command = lambda self, _: None


class Clients:
    def __init__(self, brick, url, token):
        for name in [name for name in os.environ if name.startswith("DATABRICKS_")]:
            del os.environ[name]
        self.brick = brick
        self.environment = {**os.environ, "DATABRICKS_HOST": url, "DATABRICKS_TOKEN": token}
        self.sdk = WorkspaceClient(config=Config(host=url, token=token, config_file=os.devnull))
        warehouses = self.sdk.warehouses.list()
        self.warehouse = next(one.id for one in warehouses if one.state == service.State.RUNNING)
        own_session()
        address = urlsplit(url)
        self.connector = connector.connect(
            server_hostname=f"{address.scheme}://{address.hostname}",
            _port=address.port,
            http_path=f"/sql/1.0/warehouses/{self.warehouse}",
            access_token=token,
            use_sea=True,
            enable_telemetry=False,
        )

    def command(self, statement, parameters, *arguments):
        bound = []
        for name, kind, text in parameters:
            bound += ["-P", f"{name}:{kind}" + ("" if text is None else f"={text}")]
        return [self.brick, "sql", "-w", self.warehouse, *bound, *arguments, "--", statement]

    def run_brick(self, statement, parameters, *arguments):
        command = self.command(statement, parameters, *arguments)
        done = subprocess.run(command, env=self.environment, capture_output=True)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def run_connector(self, statement, parameters):
        """The result as an Arrow table."""
        with self.connector.cursor() as cursor:
            cursor.execute(statement, [connector_parameter(*one) for one in parameters] or None)
            return cursor.fetchall_arrow()

    def run_sdk(self, statement, parameters):
        """The columns, the rows of all chunks as text, and the number of chunks."""
        items = [service.StatementParameterListItem(name=n, type=k, value=v) for n, k, v in parameters]
        answer = self.sdk.statement_execution.execute_statement(
            warehouse_id=self.warehouse, statement=statement, parameters=items, wait_timeout="50s"
        )
        assert answer.status.state == service.StatementState.SUCCEEDED, answer.status
        rows, part = [], answer.result
        while part is not None:
            rows += part.data_array or []
            following = part.next_chunk_index
            part = None
            if following is not None:
                part = self.sdk.statement_execution.get_statement_result_chunk_n(answer.statement_id, following)
        return answer.manifest.schema.columns, rows, answer.manifest.total_chunk_count


def connector_parameter(name, kind, text):
    if text is None:
        return typed.VoidParameter(name=name, value=None)
    match kind.partition("(")[0]:
        case "BIGINT":
            return typed.BigIntegerParameter(name=name, value=int(text))
        case "STRING":
            return typed.StringParameter(name=name, value=text)
        case "DECIMAL":
            # Without precision and scale, which the connector would swap in its type.
            return typed.DecimalParameter(name=name, value=Decimal(text))
        case "DATE":
            return typed.DateParameter(name=name, value=datetime.date.fromisoformat(text))
        case "TIMESTAMP":
            return typed.TimestampParameter(name=name, value=datetime.datetime.fromisoformat(text))
        case "BOOLEAN":
            return typed.BooleanParameter(name=name, value=text == "true")
        case "DOUBLE":
            return typed.DoubleParameter(name=name, value=float(text))
    raise ValueError(kind)


# ---- values


def value_of(text, kind):
    """What a text of the JSON format means, in Python; nested values come parsed, with texts as leaves."""
    if text is None or pa.types.is_null(kind):
        assert text is None, text
        return None
    if pa.types.is_list(kind) or pa.types.is_map(kind) or pa.types.is_struct(kind):
        inner = json.loads(text, object_pairs_hook=Pairs) if isinstance(text, str) else text
        if pa.types.is_list(kind):
            return [value_of(one, kind.value_type) for one in inner]
        if pa.types.is_map(kind):
            return [(value_of(key, kind.key_type), value_of(one, kind.item_type)) for key, one in inner]
        assert [key for key, _ in inner] == [field.name for field in kind], inner
        return {key: value_of(one, field.type) for (key, one), field in zip(inner, kind)}
    if pa.types.is_integer(kind):
        return int(text)
    if pa.types.is_decimal(kind):
        return Decimal(text)
    if pa.types.is_floating(kind):
        value = float(text)
        return pa.scalar(value, kind).as_py() if pa.types.is_float32(kind) else value
    if pa.types.is_boolean(kind):
        return {"true": True, "false": False}[text]
    if pa.types.is_date(kind):
        return datetime.date.fromisoformat(text)
    if pa.types.is_timestamp(kind):
        value = datetime.datetime.fromisoformat(text)
        assert (value.tzinfo is None) == (kind.tz is None), text
        return value
    if pa.types.is_binary(kind):
        return base64.b64decode(text, validate=True)
    assert pa.types.is_string(kind), kind
    return text


class Pairs(list):
    """A JSON object with its order and all of its keys."""


class Number(str):
    """A JSON number as it was written."""


def parse_exactly(text):
    return json.loads(text, object_pairs_hook=Pairs, parse_int=Number, parse_float=Number)


def comparable(value, milliseconds=False):
    """Equal exactly if the values are: NaN is itself, -0.0 is not 0.0, 1.50 is not 1.5, an instant has no zone."""
    if isinstance(value, float):
        return "NaN" if math.isnan(value) else repr(value)
    if isinstance(value, Decimal):
        return str(value.as_tuple())
    if isinstance(value, datetime.datetime):
        if milliseconds:
            value = value.replace(microsecond=value.microsecond // 1000 * 1000)
        return value if value.tzinfo is None else value.astimezone(UTC)
    if isinstance(value, dict):
        return [(key, comparable(one, milliseconds)) for key, one in value.items()]
    if isinstance(value, (list, tuple)):
        return [comparable(one, milliseconds) for one in value]
    return value


def with_microseconds(text, value, kind):
    """A text of the JSON format with all digits of its instants; nested ones have whole milliseconds in all cases here."""
    if text is None:
        return None
    if pa.types.is_timestamp(kind):
        head, _, tail = text.partition(".")
        return f"{head}.{value.microsecond:06}{tail.lstrip('0123456789')}"
    if pa.types.is_list(kind) or pa.types.is_map(kind) or pa.types.is_struct(kind):
        return re.sub(r"(T\d\d:\d\d:\d\d\.\d{3})", r"\g<1>000", text)
    return text


def rows_of(table, milliseconds=False):
    columns = [[comparable(value, milliseconds) for value in column.to_pylist()] for column in table.columns]
    return [list(row) for row in zip(*columns)]


def type_text(kind):
    """An Arrow type without the names that only the file format gives to the parts of lists and maps."""
    if pa.types.is_list(kind):
        return f"list<{type_text(kind.value_type)}>"
    if pa.types.is_map(kind):
        return f"map<{type_text(kind.key_type)}, {type_text(kind.item_type)}>"
    if pa.types.is_struct(kind):
        return "struct<" + ", ".join(f"{field.name}: {type_text(field.type)}" for field in kind) + ">"
    return str(kind)


def duckdb_type(kind):
    """The type in which DuckDB should see a column, in SQL."""
    if pa.types.is_list(kind):
        return duckdb_type(kind.value_type) + "[]"
    if pa.types.is_map(kind):
        return f"MAP({duckdb_type(kind.key_type)}, {duckdb_type(kind.item_type)})"
    if pa.types.is_struct(kind):
        return "STRUCT(" + ", ".join(f"{quoted(field.name)} {duckdb_type(field.type)}" for field in kind) + ")"
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_timestamp(kind):
        return "TIMESTAMP" if kind.tz is None else "TIMESTAMP WITH TIME ZONE"
    names = {"int8": "TINYINT", "int16": "SMALLINT", "int32": "INTEGER", "int64": "BIGINT", "float": "FLOAT"}
    names |= {"double": "DOUBLE", "bool": "BOOLEAN", "date32[day]": "DATE", "string": "VARCHAR", "binary": "BLOB"}
    return {**names, "null": '"NULL"'}[str(kind)]


def distinct(names):
    """What brick makes of names that come twice: `a`, `a_2`."""
    taken = []
    for name in names:
        numbered = (f"{name}_{number}" for number in range(2, len(taken) + 3))
        taken.append(name if name not in taken else next(one for one in numbered if one not in taken))
    return taken


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def csv_cells(text):
    """RFC 4180 by hand: a quoted empty cell is a text, an unquoted one NULL; Python's module can't tell them apart."""
    rows, row, at = [], [], 0
    while at < len(text):
        if text[at] == '"':
            cell, at = "", at + 1
            while True:
                end = text.index('"', at)
                cell, at = cell + text[at:end], end + 1
                if text[at] != '"':
                    break
                cell, at = cell + '"', at + 1
        else:
            end = min(found for mark in ",\n" if (found := text.find(mark, at)) >= 0)
            cell, at = text[at:end] or None, end
        row.append(cell)
        assert text[at] in ",\n", text[at - 20 : at + 20]
        if text[at] == "\n":
            rows.append(row)
            row = []
        at += 1
    assert not row, row
    return rows


# ---- checks


class Checks:
    def __init__(self):
        self.passed = self.failed = self.cells = 0

    def run(self, name, function, *arguments):
        try:
            cells = function(*arguments)
        except Exception:
            self.failed += 1
            print(f"FAILED {name}")
            traceback.print_exc(file=sys.stdout)
        else:
            self.passed += 1
            self.cells += cells
            print(f"ok     {name}: {cells} cells")

    def end(self):
        print(f"{self.cells} cells compared")
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(self.failed > 0)


def same(found, wanted):
    """The number of cells; each must be equal."""
    assert len(found) == len(wanted), f"{len(found)} rows, not {len(wanted)}"
    for number, (one, other) in enumerate(zip(found, wanted)):
        assert one == other, f"row {number}: {one!r} is not {other!r}"
        assert [type(cell) for cell in one] == [type(cell) for cell in other], (one, other)
    return sum(len(row) for row in wanted)


def same_types(found, wanted):
    found, wanted = list(found), list(wanted)
    assert found == wanted, f"{found} is not {wanted}"


class Case:
    def __init__(self, clients, folder, statement, parameters):
        self.run_brick = lambda *arguments: clients.run_brick(statement, parameters, *arguments)
        self.folder = folder
        self.columns, self.texts, self.chunks = clients.run_sdk(statement, parameters)
        self.names = distinct(column.name for column in self.columns)
        self.table = clients.run_connector(statement, parameters)
        if self.table.num_columns == 0:
            # Without rows the connector knows no types: those of one row are meant.
            one_row = clients.run_connector(statement.replace("WHERE n > 1", "WHERE n = 1"), parameters)
            assert one_row.num_rows == 1
            self.table = one_row.slice(0, 0)
        self.types = [field.type for field in self.table.schema]
        columns = [column.to_pylist() for column in self.table.columns]
        cells = [zip(row, values, self.types) for row, values in zip(self.texts, zip(*columns))]
        self.shown = [[with_microseconds(*cell) for cell in row] for row in cells]

    def out(self, extension):
        file = self.folder / f"rows.{extension}"
        file.unlink(missing_ok=True)
        self.run_brick("--out", str(file))
        assert [one.name for one in self.folder.iterdir()] == [file.name], "something else was left behind"
        return file

    # The JSON format has milliseconds and Arrow microseconds: that is the service's doing, so instants of JSON are
    # compared with the others' cut to milliseconds. Brick's text comes from Arrow, and has all digits.

    def the_vendors_agree(self):
        assert [column.name for column in self.columns] == self.table.column_names
        rows = [[comparable(value_of(*one)) for one in zip(row, self.types)] for row in self.texts]
        return same(rows, rows_of(self.table, milliseconds=True))

    def json(self):
        wanted = [[self.json_value(*one) for one in zip(row, self.types)] for row in self.shown]
        whole = parse_exactly(self.run_brick("-o", "json"))
        lines = [parse_exactly(line) for line in self.run_brick("-o", "jsonl").decode().split("\n")[:-1]]
        cells = 0
        for found in (whole, lines):
            assert all([key for key, _ in row] == self.names for row in found)
            cells += same([[value for _, value in row] for row in found], wanted)
        return cells

    def json_value(self, text, kind):
        """What brick makes of a text of the JSON format: numbers and booleans keep their types, nested ones, too."""
        if text is None:
            return None
        if pa.types.is_integer(kind) or pa.types.is_decimal(kind) or pa.types.is_floating(kind):
            return text if text in ("NaN", "Infinity", "-Infinity") else Number(text)
        if pa.types.is_boolean(kind):
            return text == "true"
        if not (pa.types.is_list(kind) or pa.types.is_map(kind) or pa.types.is_struct(kind)):
            return text
        inner = parse_exactly(text) if isinstance(text, str) else text
        if pa.types.is_list(kind):
            return [self.json_value(one, kind.value_type) for one in inner]
        kinds = [kind.item_type] * len(inner) if pa.types.is_map(kind) else [field.type for field in kind]
        return Pairs((key, self.json_value(one, of)) for (key, one), of in zip(inner, kinds))

    def csv(self):
        out = self.run_brick("-o", "csv")
        assert out == self.out("csv").read_bytes(), "stdout and --out differ"
        head, *rows = csv_cells(out.decode())
        assert head == self.names, head
        if not any(None in row for row in rows):
            assert list(csv.reader(io.StringIO(out.decode(), newline="")))[1:] == rows, "Python reads it in another way"
        return same(rows, self.shown)

    def parquet_in_pyarrow(self):
        table = pa.parquet.read_table(self.out("parquet"))
        same_types(table.column_names, self.names)
        same_types(map(type_text, table.schema.types), map(type_text, self.types))
        return same(rows_of(table), rows_of(self.table))

    def arrow_in_pyarrow(self):
        with pa.OSFile(str(self.out("arrow"))) as source:
            table = pa.ipc.open_file(source).read_all()
        stream = pa.ipc.open_stream(self.run_brick("-o", "arrow")).read_all()
        cells = 0
        for found in (table, stream):
            same_types(found.column_names, self.names)
            same_types(map(type_text, found.schema.types), map(type_text, self.types))
            cells += same(rows_of(found), rows_of(self.table))
        return cells

    def parquet_in_duckdb(self):
        rows = duckdb.read_parquet(str(self.out("parquet")))
        assert rows.columns == self.duckdb_names(), rows.columns
        same_types(rows.types, [duckdb.sqltype(duckdb_type(kind)) for kind in self.types])
        return same(rows_of(rows.to_arrow_table()), rows_of(self.table))

    def duckdb_names(self):
        """DuckDB's names know no case: it numbers those that are the same without."""
        taken = []
        for name in self.names:
            same = sum(name.lower() == other.lower() for other in taken)
            taken.append(f"{name}_{same}" if same else name)
        return taken

    def is_scalar(self, kind):
        """Whether a CSV reader can have a type for it."""
        nested = (pa.types.is_list, pa.types.is_map, pa.types.is_struct, pa.types.is_binary, pa.types.is_null)
        return not any(is_it(kind) for is_it in nested)

    def csv_in_duckdb(self):
        """Read with the columns' types; what CSV has none for is compared as text."""
        scalars = list(map(self.is_scalar, self.types))
        kinds = [duckdb_type(kind) if scalar else "VARCHAR" for kind, scalar in zip(self.types, scalars)]
        rows = duckdb.read_csv(
            str(self.out("csv")),
            header=True,
            auto_detect=False,
            # The columns are numbered, as DuckDB's names know no case.
            columns={f"c{number}": kind for number, kind in enumerate(kinds)},
            delimiter=",",
            quotechar='"',
            escapechar='"',
            na_values="",
            allow_quoted_nulls=False,
        )
        pairs = zip(rows_of(self.table), self.shown)
        wanted = [[v if scalar else t for v, t, scalar in zip(*pair, scalars)] for pair in pairs]
        return same(rows_of(rows.to_arrow_table()), wanted)

    def csv_in_pyarrow(self):
        """Types are left to pyarrow to find out: they must be of the right kind."""
        table = pa.csv.read_csv(
            self.out("csv"),
            parse_options=pa.csv.ParseOptions(newlines_in_values=True),
            convert_options=pa.csv.ConvertOptions(
                null_values=[""], strings_can_be_null=True, quoted_strings_can_be_null=False
            ),
        )
        assert table.column_names == self.names, table.column_names
        if not self.texts:
            return 0
        cells = 0
        for kind, wanted, found in zip(self.types, self.table.columns, table.columns):
            if not self.is_scalar(kind):
                continue
            assert self.may_be_read_as(kind, wanted.to_pylist(), found.type), (str(kind), str(found.type))
            if not pa.types.is_floating(found.type) and not pa.types.is_timestamp(kind):
                as_text = [None if one is None else str(one) for one in wanted.to_pylist()]
                assert [None if one is None else str(one) for one in found.to_pylist()] == as_text
            cells += len(table)
        return cells

    def may_be_read_as(self, kind, values, found):
        if all(value is None for value in values):
            return pa.types.is_null(found)
        if pa.types.is_string(kind):
            # A text that looks like a number, in each row, is one for a reader that guesses.
            return pa.types.is_string(found) or all(value is None or value.strip().isdigit() for value in values)
        if pa.types.is_integer(kind):
            return pa.types.is_integer(found)
        if pa.types.is_decimal(kind) or pa.types.is_floating(kind):
            # Nothing in a CSV file says that a number is exact.
            return pa.types.is_floating(found) or pa.types.is_integer(found)
        if pa.types.is_boolean(kind):
            return pa.types.is_boolean(found)
        if pa.types.is_date(kind):
            return pa.types.is_date(found)
        assert pa.types.is_timestamp(kind), kind
        if any(value is not None and not 1678 <= value.year <= 2261 for value in values):
            # pyarrow guesses at nanoseconds only, which end there.
            return pa.types.is_string(found)
        return pa.types.is_timestamp(found) and (found.tz is None) == (kind.tz is None)

    def comes_in_chunks(self):
        assert self.chunks > 1, self.chunks
        return len(self.texts)


def compare(clients):
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        for name, statement, parameters in CASES:
            try:
                case = Case(clients, Path(folder), statement, parameters)
            except Exception as error:
                checks.run(name, reraise, error)
                continue
            kinds = [case.the_vendors_agree, case.json, case.csv, case.arrow_in_pyarrow, case.parquet_in_pyarrow]
            kinds += [case.parquet_in_duckdb, case.csv_in_duckdb, case.csv_in_pyarrow]
            if name == "several chunks":
                kinds.append(case.comes_in_chunks)
            for check in kinds:
                for left in Path(folder).iterdir():
                    left.unlink()
                checks.run(f"{name}: {check.__name__.replace('_', ' ')}", check)
    checks.end()


def reraise(error):
    raise error


# ---- ten million rows


ROWS = 10_000_000
BIG = f"""SELECT id, id % 1000 AS bucket, id * 0.5D AS half, concat('row ', id) AS name, id % 7 = 0 AS seventh
            FROM range({ROWS})"""
SUMS = """SELECT count(*), sum(id), sum(bucket), sum(half), sum(length(name)), count(*) FILTER (seventh),
            count(DISTINCT id) FROM {}"""
WANTED = (
    ROWS,
    sum(range(ROWS)),
    sum(range(1000)) * (ROWS // 1000),
    sum(range(ROWS)) / 2,
    sum(4 + len(str(id)) for id in range(ROWS)),
    len(range(0, ROWS, 7)),
    ROWS,
)


def ten_million_rows(clients):
    checks = Checks()
    with tempfile.TemporaryDirectory() as folder:
        for extension in ("csv", "parquet"):
            file = Path(folder) / f"rows.{extension}"

            def check():
                seconds, peak = measure(clients, clients.command(BIG, [], "--out", str(file)))
                size = file.stat().st_size / 1e6
                print(f"       {ROWS} rows to {extension}: {seconds:.1f} s, {size:.0f} MB, peak {peak / 1e6:.0f} MB of memory")
                source = f"read_{extension}('{file}')"
                (found,) = duckdb.sql(SUMS.format(source)).fetchall()
                assert found == WANTED, f"{found} is not {WANTED}"
                return ROWS * 5

            checks.run(f"ten million rows to {extension}", check)
            file.unlink(missing_ok=True)
    checks.end()


# A process's peak counts from the program that it was started from, so that one has to be small: not this one.
MEASURE = """
import os, subprocess, sys, time
begin = time.monotonic()
child = subprocess.Popen(sys.argv[1:])
_, status, usage = os.wait4(child.pid, 0)
print(os.waitstatus_to_exitcode(status), time.monotonic() - begin, usage.ru_maxrss)
"""


def measure(clients, command):
    """Seconds, and the peak of resident memory in bytes of this one process."""
    around = [sys.executable, "-I", "-c", MEASURE, *command]
    done = subprocess.run(around, env=clients.environment, stdout=subprocess.PIPE, check=True)
    status, seconds, peak = done.stdout.split()
    assert int(status) == 0, status
    # Linux counts in KiB, macOS in bytes.
    return float(seconds), int(peak) * (1 if sys.platform == "darwin" else 1024)


def main():
    if len(sys.argv) not in (4, 5) or sys.argv[4:] not in ([], ["--big"]):
        sys.exit(__doc__)
    # The connector warns of this mode with each connection, and of chunks that are small.
    logging.getLogger("databricks").setLevel(logging.ERROR)
    clients = Clients(*sys.argv[1:4])
    (ten_million_rows if sys.argv[4:] else compare)(clients)


if __name__ == "__main__":
    main()
