# Runs one task: a script or a notebook, as a cluster would. `task.json` in the working directory says what; what becomes
# of it is written to `result.json`, except for what it prints.
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
        self.jobs = Jobs(TaskValues(task["values"]))


class Nothing:
    def __repr__(self):
        return ""


def run_task():
    with open("task.json", encoding="utf-8") as file:
        task = json.load(file)
    os.remove("task.json")
    name, source, dbutils = task["name"], task["source"], Dbutils(task)
    result = {}
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    sys.argv = [name, *task["arguments"]]
    try:
        namespace = {"__name__": "__main__", "__file__": name, "__builtins__": __builtins__, "dbutils": dbutils}
        exec(compile(source, name, "exec"), namespace)
    except KeyboardInterrupt:
        raise
    except NotebookExit as end:
        result["exit"] = end.value
    except BaseException as error:
        if not isinstance(error, SystemExit) or error.code not in (None, 0):
            kind, error, trace = sys.exc_info()
            while trace and trace.tb_frame.f_code.co_filename != name:
                trace = trace.tb_next
            result["error"] = "".join(traceback.format_exception_only(kind, error)).strip().splitlines()[-1]
            result["trace"] = "".join(traceback.format_exception(kind, error, trace))
    result["values"] = dbutils.jobs.taskValues.set_here
    with open("result.json", "w", encoding="utf-8") as file:
        json.dump(result, file)
    return Nothing()


run_task()
