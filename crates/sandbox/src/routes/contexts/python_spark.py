# `spark` and its DataFrames. A DataFrame is a query, which the sandbox's SQL engine runs when its rows are needed. It has
# what SQL says in the same way; everything else is an error that says so, never a guess.
import datetime
import decimal
import importlib.machinery
import re


class AnalysisException(Exception):
    pass


def in_sql(value):
    """A parameter of a statement: its text and its type."""
    if value is None:
        return [None, "VOID"]
    if isinstance(value, bool):
        return [str(value).lower(), "BOOLEAN"]
    for kind, name in (
        (int, "BIGINT"),
        (float, "DOUBLE"),
        (str, "STRING"),
        (datetime.datetime, "TIMESTAMP"),
        (datetime.date, "DATE"),
    ):
        if isinstance(value, kind):
            return [str(value), name]
    if isinstance(value, decimal.Decimal):
        digits = len(value.as_tuple().digits)
        scale = max(0, -value.as_tuple().exponent)
        return [format(value, "f"), f"DECIMAL({max(digits, scale)},{scale})"]
    raise unsupported(f"parameters of type {type(value).__name__}")


def unsupported(what):
    return NotImplementedError(f"the sandbox's Spark has no {what}: write it as SQL, in spark.sql(...)")


def quoted(name):
    return "`" + name.replace("`", "``") + "`"


def text_of(column):
    if not isinstance(column, str):
        raise unsupported("columns that aren't text")
    return column if column == "*" else quoted(column)


def checked(limit):
    if limit < 0:
        raise AnalysisException(
            "[INVALID_LIMIT_LIKE_EXPRESSION.IS_NEGATIVE] The limit expression must be equal to or greater than 0, "
            f"but got {limit}."
        )
    return limit


ALL_ROWS = 1 << 40


class DataFrame:
    def __init__(self, query, parameters=None, limit=None, has_limit=False):
        self._query, self._parameters, self._limit = query, parameters or {}, limit
        self._has_limit = has_limit
        # Errors of a query show where it is made, as with Spark.
        found = ask("sql", sql=f"DESCRIBE QUERY {query}", parameters=self._parameters)
        self.dtypes = [(name, kind) for name, kind, *_ in found["rows"]]

    @property
    def columns(self):
        return [name for name, _ in self.dtypes]

    def __repr__(self):
        return "DataFrame[" + ", ".join(f"{name}: {kind}" for name, kind in self.dtypes) + "]"

    def __getattr__(self, name):
        raise AttributeError(str(unsupported(f"DataFrame.{name}")))

    def __getitem__(self, item):
        raise unsupported("columns of a DataFrame as objects")

    def __iter__(self):
        raise TypeError("a DataFrame has no rows to loop over: use df.collect()")

    def _whole(self):
        """The query with its limit. The engine sorts a query inside another one only if it has a limit, too."""
        limit = self._limit
        if limit is None and not self._has_limit and re.search("order|sort", self._query, re.IGNORECASE):
            limit = ALL_ROWS
        if limit is None:
            return self._query
        return f"SELECT * FROM (\n{self._query}\n) LIMIT {limit}" if self._has_limit else f"{self._query}\nLIMIT {limit}"

    def _on(self, start, end=""):
        return DataFrame(f"{start} FROM (\n{self._whole()}\n) {end}", self._parameters)

    def _read(self, most=None):
        limits = [limit for limit in (self._limit, most) if limit is not None]
        limit = min(limits) if limits else None
        return ask("sql", sql=self._query, parameters=self._parameters, limit=limit)

    def _rows(self, most=None):
        found = self._read(most)
        names = [column["name"] for column in found["columns"]]
        kinds = [column["type"] for column in found["columns"]]
        return [Row(names, map(cell_of, row, kinds)) for row in found["rows"]]

    def collect(self):
        return self._rows()

    def take(self, num):
        return self._rows(checked(num))

    def head(self, n=None):
        return self.first() if n is None else self.take(n)

    def first(self):
        return next(iter(self._rows(1)), None)

    def isEmpty(self):
        return not self._rows(1)

    def count(self):
        return self._on("SELECT count(*)")._rows()[0][0]

    def limit(self, num):
        checked(num)
        if self._limit is not None:
            num = min(num, self._limit)
        return DataFrame(self._query, self._parameters, num, self._has_limit)

    def select(self, *columns):
        columns = columns[0] if len(columns) == 1 and isinstance(columns[0], (list, tuple)) else columns
        return self._on("SELECT " + ", ".join(map(text_of, columns)))

    def selectExpr(self, *expressions):
        return self._on("SELECT " + ", ".join(expressions))

    def filter(self, condition):
        if not isinstance(condition, str):
            raise unsupported("conditions that aren't text")
        return self._on("SELECT *", f"WHERE {condition}")

    where = filter

    def orderBy(self, *columns, ascending=True):
        columns = columns[0] if len(columns) == 1 and isinstance(columns[0], (list, tuple)) else columns
        orders = ascending if isinstance(ascending, (list, tuple)) else [ascending] * len(columns)
        if len(orders) != len(columns):
            raise ValueError(f"ascending has {len(orders)} entries for {len(columns)} columns")
        orders = [f"{text_of(column)} {'ASC' if up else 'DESC'}" for column, up in zip(columns, orders)]
        return self._on("SELECT *", "ORDER BY " + ", ".join(orders))

    sort = orderBy

    def distinct(self):
        return self._on("SELECT DISTINCT *")

    def createOrReplaceTempView(self, name):
        ask("sql", sql=f"CREATE OR REPLACE TEMPORARY VIEW {quoted(name)} AS {self._whole()}", parameters=self._parameters)

    def toPandas(self):
        try:
            import pandas
        except ImportError as error:
            raise ImportError("the python3 that runs the sandbox's code has no pandas: install it there") from error
        return pandas.DataFrame.from_records(self.collect(), columns=self.columns)

    def printSchema(self):
        print("root")
        for name, kind in self.dtypes:
            print("\n".join(schema_lines(name, kind)))
        print()

    def show(self, n=20, truncate=True, vertical=False):
        if vertical:
            raise unsupported("vertical tables")
        width, n = 20 if truncate is True else int(truncate), max(n, 0)
        found = self._read(n + 1)
        kinds = [column["type"] for column in found["columns"]]
        lines = [[column["name"].translate(META) for column in found["columns"]]]
        lines += [list(map(shown_cell, row, kinds)) for row in found["rows"][:n]]
        if width > 0:
            end = "..." if width > 3 else ""
            lines = [[c if len(c) <= width else c[: width - len(end)] + end for c in line] for line in lines]
        widths = [max(3, *map(len, column)) for column in zip(*lines)]
        pad = str.rjust if width > 0 else str.ljust
        rule = "+" + "+".join("-" * width for width in widths) + "+"
        lines = ["|" + "|".join(map(pad, line, widths)) + "|" for line in lines]
        print("\n".join([rule, lines[0], rule, *lines[1:], *([rule] if lines[1:] else [])]))
        rest = f"only showing top {n} row{'' if n == 1 else 's'}\n" if len(found["rows"]) > n else ""
        print(rest)


class Finished(DataFrame):
    """The rows of a statement that isn't a query: it has run already."""

    def __init__(self, found):
        self._found = found
        self.dtypes = [(column["name"], column["type"].lower()) for column in found["columns"]]

    def _read(self, most=None):
        return {**self._found, "rows": self._found["rows"][:most]}

    def _on(self, *arguments):
        raise unsupported("queries over the rows of a statement such as SHOW")

    def count(self):
        return len(self._found["rows"])

    limit = createOrReplaceTempView = _on


QUERY = re.compile(
    r"(?:\s|\(|--[^\n]*\n|/\*(?:[^*]|\*(?!/))*\*/)*(?:select|with|values|from|(table))\b", re.IGNORECASE
)


def has_limit(text, parameters):
    """Whether a query ends with a limit, so that it takes no other."""
    if not re.search("limit", text, re.IGNORECASE):
        return False
    try:
        ask("sql", sql=f"DESCRIBE QUERY {text}\nLIMIT 1", parameters=parameters)
        return False
    except AnalysisException:
        return True


class SparkSession:
    def sql(self, sqlQuery, args=None):
        if args is not None and not isinstance(args, dict):
            raise unsupported("parameters without names")
        text = sqlQuery.strip().rstrip(";")
        parameters = {name: in_sql(value) for name, value in (args or {}).items()}
        if query := QUERY.match(text):
            if query[1]:  # the engine has no TABLE inside other queries
                text = text[: query.start(1)] + "SELECT * FROM" + text[query.end(1) :]
            return DataFrame(text, parameters, has_limit=has_limit(text, parameters))
        return Finished(ask("sql", sql=text, parameters=parameters))

    def table(self, tableName):
        if not re.fullmatch(r"(?:`[^`]+`|[\w-]+)(?:\.(?:`[^`]+`|[\w-]+)){0,2}", tableName):
            raise AnalysisException(f"[PARSE_SYNTAX_ERROR] not the name of a table: {tableName}")
        return DataFrame(f"SELECT * FROM {tableName}")

    def range(self, start, end=None, step=1, numPartitions=None):
        start, end = (0, start) if end is None else (start, end)
        return DataFrame(f"SELECT * FROM range({int(start)}, {int(end)}, {int(step)})")

    def __getattr__(self, name):
        raise AttributeError(str(unsupported(f"spark.{name}")))


class NoPyspark:
    """Says what is there instead of pyspark, if this Python has none: not where a program looks for it, but where it is
    imported."""

    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name.partition(".")[0] == "pyspark" else None

    def create_module(self, spec):
        why = "the sandbox has no pyspark: use spark.sql(...), which it runs itself"
        raise ModuleNotFoundError(why, name=spec.name)

    def exec_module(self, module):
        pass


