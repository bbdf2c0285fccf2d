# Calls a model's function: `task.json` in the working directory has its source and the request; the answer is written to
# `answer.json`, except for what the function prints.
import json
import linecache


def plain(value):
    """Arrays of numpy and the like, which know how to become lists."""
    if hasattr(value, "tolist"):
        return value.tolist()
    raise TypeError(f"the answer holds a {type(value).__name__}, which is not JSON")


def call():
    with open("task.json", encoding="utf-8") as file:
        task = json.load(file)
    name, source = task["name"], task["source"]
    linecache.cache[name] = (len(source), None, source.splitlines(True), name)
    namespace = {"__name__": "model", "__file__": name}
    exec(compile(source, name, "exec"), namespace)
    if "predict" not in namespace:
        raise AttributeError(f"{name} has no function predict(request)")
    answer = namespace["predict"](task["request"])
    if not isinstance(answer, dict):
        answer = {"predictions": answer}
    with open("answer.json", "w", encoding="utf-8") as file:
        json.dump(answer, file, default=plain, allow_nan=False)


call()
