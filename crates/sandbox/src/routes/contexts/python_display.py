# `display` and figures: a command's result is a table or images if it displays any, else its text. Of several tables, the
# last one is the result; of several figures, all.
import importlib.machinery
import io
import os
import sys

IMAGE_LIMIT = 20_000_000  # bytes of all images of a command, encoded
TABLE_ROWS = 1000  # as many as the service shows

shown = []  # what the running command has displayed: results of type table or image


def display(*values, **options):
    for value in values:
        if isinstance(value, DataFrame):
            shown.append(table_of_query(value))
        elif hasattr(value, "savefig"):
            show_figure(value)
        elif type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "columns"):
            names = [str(name) for name in value.columns]
            shown.append(table(names, list(value.head(TABLE_ROWS + 1).itertuples(index=False, name=None))))
        elif isinstance(value, list) and value and all(fields_of(row) for row in value):
            shown.append(table(fields_of(value[0]), value))
        else:
            print(value)


def fields_of(row):
    """The names of a row's cells, if it has any."""
    names = getattr(row, "__fields__", None) or getattr(row, "_fields", None)
    return list(names) if isinstance(row, tuple) and names else None


def table_of_query(frame):
    if isinstance(frame, Finished):
        return table(frame.columns, frame.collect())
    return ask("table", sql=frame._whole(), parameters=frame._parameters)["results"]


def table(names, rows):
    columns = [[plain(cell) for cell in column] for column in zip(*rows[:TABLE_ROWS])] or [[] for _ in names]
    kinds = [kind_of(column) for column in columns]
    schema = [{"name": name, "type": json.dumps(kind), "metadata": "{}"} for name, kind in zip(names, kinds)]
    columns = [[in_json(cell, kind) for cell in column] for column, kind in zip(columns, kinds)]
    data = [list(row) for row in zip(*columns)]
    cut = len(rows) > TABLE_ROWS
    return {"resultType": "table", "data": data, "schema": schema, "truncated": cut, "isJsonSchema": True}


def plain(cell):
    """A cell in Python's own types: numpy's numbers are Python's, and what isn't a number is NULL."""
    if type(cell).__name__ == "NAType":  # pandas.NA, which has no truth
        return None
    try:
        cell = cell.item() if getattr(cell, "shape", None) == () else cell
        cell = None if cell != cell else cell
    except (TypeError, ValueError):  # arrays
        return str(cell)
    return str(cell) if type(cell) is int and not -(1 << 63) <= cell < 1 << 63 else cell


def in_json(cell, kind):
    """A cell as JSON has it: an infinite number is a text, as in a table of SQL."""
    if cell is None:
        return None
    if kind == "double" and abs(cell) == float("inf"):
        return "Infinity" if cell > 0 else "-Infinity"
    return str(cell) if kind == "string" else cell


def kind_of(column):
    kinds = {type(cell) for cell in column if cell is not None}
    for kind, name in (({bool}, "boolean"), ({int}, "long"), ({float}, "double"), ({int, float}, "double")):
        if kinds and kinds <= kind:
            return name
    return "string"


def show_figure(figure):
    image = io.BytesIO()
    figure.savefig(image, format="png")
    url = "data:image/png;base64," + base64.b64encode(image.getvalue()).decode("ascii")
    if len(url) + sum(len(one.get("fileName", "")) for one in shown) > IMAGE_LIMIT:
        raise ExecutionError(f"the images of a command may have {IMAGE_LIMIT} bytes together")
    shown.append({"resultType": "image", "fileName": url})


def show_open_figures(*arguments, **options):
    """Displays pyplot's open figures and closes them, as a notebook does at the end of a cell."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    for number in pyplot.get_fignums() if pyplot else []:
        figure = pyplot.figure(number)
        pyplot.close(figure)
        show_figure(figure)


def take_shown():
    """The result that the running command has displayed, if any."""
    results, shown[:] = list(shown), []
    if not results or results[-1]["resultType"] == "table":
        return results[-1] if results else None
    names = [one["fileName"] for one in results if one["resultType"] == "image"]
    if len(names) == 1:
        return {"resultType": "image", "fileName": names[0]}
    return {"resultType": "images", "fileNames": names}


class PyplotBackend:
    """Finds and makes the backend of pyplot: no window, and `show()` displays."""

    def find_spec(self, name, path=None, target=None):
        return importlib.machinery.ModuleSpec(name, self) if name == "brickwire_pyplot" else None

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        module.FigureCanvas, module.show = FigureCanvasAgg, show_open_figures


sys.meta_path.append(PyplotBackend())
os.environ["MPLBACKEND"] = "module://brickwire_pyplot"


