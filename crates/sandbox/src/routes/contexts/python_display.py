# `display` and figures: a command's result is a table or images if it displays any, else its text. Of several tables, the
# last one is the result; of several figures, all.
import importlib.machinery
import io
import os
import sys

IMAGE_LIMIT = 20_000_000  # bytes of all images of a command, encoded
TABLE_ROWS = 1000  # as many as the service shows
TABLE_BYTES = 64 * 1024 * 1024  # of a table's texts, as many as a query hands over

shown = []  # what the running command has displayed: results of type table or image
displayed = []  # its figures
showing = True  # whether its results are of use; those of a task and of a model aren't


def display(*values, **options):
    for value in values:
        if isinstance(value, DataFrame):
            show_table(table_of_query, value)
        elif hasattr(value, "savefig"):
            show_figure(value)
        elif type(value).__module__.partition(".")[0] == "pandas" and hasattr(value, "columns"):
            show_table(table_of_frame, value)
        elif isinstance(value, list) and value and all(fields_of(row) for row in value):
            show_table(lambda rows: table(fields_of(rows[0]), rows), value)
        else:
            print(value)


def show_table(table_of, value):
    if showing:
        made = table_of(value)
        shown[:] = [one for one in shown if one["resultType"] == "image"] + [made]
    elif isinstance(value, DataFrame):
        value.isEmpty()  # its query runs, and may fail


def fields_of(row):
    """The names of a row's cells, if it has any."""
    names = getattr(row, "__fields__", None) or getattr(row, "_fields", None)
    return list(names) if isinstance(row, tuple) and names else None


def table_of_query(frame):
    if isinstance(frame, Finished):
        return table(frame.columns, frame.collect())
    return ask("table", sql=frame._whole(), parameters=frame._parameters)["results"]


def table_of_frame(frame):
    names = [str(name) for name in frame.columns]
    return table(names, list(frame.head(TABLE_ROWS + 1).itertuples(index=False, name=None)))


def table(names, rows):
    columns = [[plain(cell) for cell in column] for column in zip(*rows[:TABLE_ROWS])] or [[] for _ in names]
    kinds = [kind_of(column) for column in columns]
    schema = [{"name": name, "type": json.dumps(kind), "metadata": "{}"} for name, kind in zip(names, kinds)]
    columns = [[in_json(cell, kind) for cell in column] for column, kind in zip(columns, kinds)]
    data = [list(row) for row in zip(*columns)]
    if sum(len(cell) for row in data for cell in row if isinstance(cell, str)) > TABLE_BYTES:
        raise ExecutionError("The sandbox shows at most 64 MiB of rows. Display fewer of them.")
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
    if not showing:
        return
    figure = figure.gcf() if hasattr(figure, "gcf") else figure  # pyplot itself stands for its current figure
    image = io.BytesIO()
    figure.savefig(image, format="png")
    displayed.append(figure)
    url = "data:image/png;base64," + base64.b64encode(image.getvalue()).decode("ascii")
    if len(url) + sum(len(one.get("fileName", "")) for one in shown) > IMAGE_LIMIT:
        print(f"Note: an image is left out: those of a command may have {IMAGE_LIMIT} bytes together.")
    else:
        shown.append({"resultType": "image", "fileName": url})


def show_open_figures(*arguments, **options):
    """Displays pyplot's open figures and closes them, as a notebook does at the end of a cell. One that has been displayed
    isn't again."""
    for figure in close_figures():
        if not any(figure is one for one in displayed):
            try:
                show_figure(figure)
            except Exception as error:
                print(f"Note: a figure is left out: {type(error).__name__}: {error}")


def close_figures():
    """Closes pyplot's open figures, and returns them."""
    pyplot = sys.modules.get("matplotlib.pyplot")
    figures = [pyplot.figure(number) for number in getattr(pyplot, "get_fignums", list)()]
    for figure in figures:
        pyplot.close(figure)
    return figures


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

    NAME = "brickwire_pyplot"

    def find_spec(self, name, path=None, target=None):
        if name == "matplotlib":
            return self.find_matplotlib(path, target)
        return importlib.machinery.ModuleSpec(name, self) if name == self.NAME else None

    def find_matplotlib(self, path, target):
        """Makes matplotlib begin with this backend. A variable would reach children, too, which don't have it."""
        spec = importlib.machinery.PathFinder.find_spec("matplotlib", path, target)
        if spec and spec.loader and not os.environ.get("MPLBACKEND"):
            execute = spec.loader.exec_module

            def execute_and_choose(module):
                execute(module)
                module.rcParams["backend"] = f"module://{self.NAME}"

            spec.loader.exec_module = execute_and_choose
        return spec

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        module.FigureCanvas, module.show = FigureCanvasAgg, show_open_figures


sys.meta_path.insert(0, PyplotBackend())


