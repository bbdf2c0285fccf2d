"""The vendor's lsql against a sandbox: what it reads, writes, and how it reports errors.

python3 tests/with_lsql.py URL TOKEN
"""

import datetime
import sys
from dataclasses import dataclass

from databricks.labs.lsql.backends import StatementExecutionBackend
from databricks.labs.lsql.core import StatementExecutionExt
from databricks.sdk import WorkspaceClient
from databricks.sdk.config import Config
from databricks.sdk.errors import NotFound


@dataclass
class Item:
    name: str
    sold: bool
    price: int | None = None


url, token = sys.argv[1:]
w = WorkspaceClient(config=Config(host=url, token=token, config_file="/dev/null"))
# Without a warehouse, it finds one itself.
sql = StatementExecutionExt(w)

assert sql.fetch_value("SELECT count(*) FROM samples.nyctaxi.trips") == 21932
assert len(list(sql("SELECT pickup_zip, dropoff_zip FROM samples.nyctaxi.trips LIMIT 3"))) == 3
row = sql.fetch_one(
    "SELECT 9007199254740993 AS n, 'x' AS s, NULL AS none, DATE'2026-01-02' AS d, TIMESTAMP'2026-01-02 03:04:05' AS t, "
    "true AS b, 1.5D AS f"
)
moment = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.timezone.utc)
assert tuple(row) == (9007199254740993, "x", None, datetime.date(2026, 1, 2), moment, True, 1.5), row

backend = StatementExecutionBackend(w, next(one.id for one in w.warehouses.list() if one.state.value == "RUNNING"))
table = "main.default.items"
backend.save_table(table, [Item("a", True, 1), Item("it's", False)], Item, mode="overwrite")
backend.save_table(table, [Item("more", True, 9)], Item, mode="append")
items = [tuple(item) for item in backend.fetch(f"SELECT * FROM {table} ORDER BY name")]
assert items == [("a", True, 1), ("it's", False, None), ("more", True, 9)], items
backend.save_table(table, [Item("b", True, 2)], Item, mode="overwrite")
assert [item.name for item in backend.fetch(f"SELECT * FROM {table}")] == ["b"]
try:
    backend.execute("SELECT * FROM main.default.nothing")
except NotFound as error:
    assert "TABLE_OR_VIEW_NOT_FOUND" in str(error), error
else:
    raise AssertionError("a missing table was found")
print("lsql: values, tables, errors")
