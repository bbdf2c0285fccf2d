# Runs one task, as a cluster would: a script, or the Python cells of a notebook. `task.json` in the working directory has
# them. `run_cell(n)` runs one, and writes what became of the task so far to `result.json`, except for what it prints.
import json
import linecache
import os
import sys
import traceback


class NotebookExit(BaseException):
    def __init__(self, value):
        self.value = str(value)


class Widgets:
    def __init__(self, values):
        self.values = values

    def get(self, name):
        if name not in self.values:
            raise ValueError(f"InputWidgetNotDefined: No input widget named {name} is defined")
        return self.values[name]

    def getAll(self):
        return dict(self.values)

    def text(self, name, default, label=None):
        self.values.setdefault(name, default)

    def dropdown(self, name, default, choices, label=None):
        self.values.setdefault(name, default)


class Notebook:
    def exit(self, value):
        raise NotebookExit(value)


class TaskValues:
    def __init__(self, known):
        self.known, self.set_here = known, {}

    def set(self, key, value):
        json.dumps(value)
        self.set_here[key] = value

    def get(self, taskKey, key, default=None, debugValue=None):
        values = self.known.get(taskKey, {})
        if key in values:
            return values[key]
        if default is not None:
            return default
        raise ValueError(f"Task value {key} of task {taskKey} was not found")


class Jobs:
    def __init__(self, values):
        self.taskValues = values


class Dbutils:
    def __init__(self, task):
        self.widgets = Widgets(task["widgets"])
        self.notebook = Notebook()
        self.secrets = dbutils.secrets
        self.jobs = Jobs(TaskValues(task["values"]))


class Nothing:
    def __repr__(self):
        return ""


with open("task.json", encoding="utf-8") as file:
    task = json.load(file)
os.remove("task.json")
task_dbutils = Dbutils(task)
task_namespace = {
    "__name__": "__main__",
    "__file__": task["name"],
    "__builtins__": __builtins__,
    "dbutils": task_dbutils,
    "display": display,
    "spark": spark,
}
sys.argv = [task["name"], *task["arguments"]]


def run_cell(number):
    name, source = task["cells"][number]
    result = {}
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    try:
        exec(compile(source, name, "exec"), task_namespace)
    except KeyboardInterrupt:
        raise
    except NotebookExit as end:
        result["exit"] = end.value
    except BaseException as error:
        if isinstance(error, SystemExit) and error.code in (None, 0):
            result["exit"] = ""
        else:
            kind, error, trace = sys.exc_info()
            while trace and trace.tb_frame.f_code.co_filename != name:
                trace = trace.tb_next
            result["error"] = "".join(traceback.format_exception_only(kind, error)).strip().splitlines()[-1]
            result["trace"] = "".join(traceback.format_exception(kind, error, trace))
    result["values"] = task_dbutils.jobs.taskValues.set_here
    result["widgets"] = task_dbutils.widgets.values
    with open("result.json", "w", encoding="utf-8") as file:
        json.dump(result, file)
    return Nothing()
