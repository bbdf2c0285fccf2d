"""Prints what an installed databricks-sdk knows of the REST API, as JSON: its operations and their types.

usage: read_sdk.py FOLDER, which is the package's folder, databricks/sdk

The sources are parsed and never imported, so nothing of the SDK runs and its dependencies need not be there. Types are
"string", "integer", "number", "boolean", "any", "bytes", {"list": T}, {"map": T}, {"named": "apps.App"},
{"object": {FIELD: T}} and {"part": {FIELD: T}}, an object that may have more fields than the SDK reads.
"""
import ast
import json
import pathlib
import re
import sys

SCALARS = {
    "str": "string", "int": "integer", "float": "number", "bool": "boolean", "Any": "any", "any": "any",
    "BinaryIO": "bytes", "Timestamp": "string", "Duration": "string", "FieldMask": "string",
}
# What stands around a type and says nothing about the JSON.
WRAPPERS = ("Optional", "Iterator", "Wait")


def name_of(node):
    """The last name of `Name`, `module.Name` or a quoted one."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", None)


def text_of(node):
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def calls(node, name):
    """The calls of a function or method of this name below `node`."""
    for child in ast.walk(node):
        if isinstance(child, ast.Call) and name_of(child.func) == name:
            yield child


class Module:
    def __init__(self, path):
        self.name = path.stem
        body = ast.parse(path.read_text(encoding="utf-8")).body
        self.classes = {node.name: node for node in body if isinstance(node, ast.ClassDef)}
        self.aliases = {
            node.targets[0].id: node.value
            for node in body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        self.notes = []

    def type_of(self, node):
        """The type that an annotation stands for."""
        if isinstance(node, ast.Subscript):
            outer = name_of(node.value)
            inner = node.slice.value if type(node.slice).__name__ == "Index" else node.slice  # Python 3.8
            if outer in WRAPPERS:
                return self.type_of(inner)
            if outer == "List":
                return {"list": self.type_of(inner)}
            if outer == "Dict":
                return {"map": self.type_of(inner.elts[1])}
        name = name_of(node)
        if isinstance(node, ast.Attribute):
            return {"named": f"{name_of(node.value)}.{name}"}
        if name in SCALARS:
            return SCALARS[name]
        if name == "dict":
            return {"map": "any"}
        if name in self.classes:
            return {"named": f"{self.name}.{name}"}
        if name in self.aliases:
            return self.type_of(self.aliases[name])
        self.notes.append(f"{self.name}.py:{node.lineno}: no type is known for {ast.dump(node)[:80]}")
        return "any"

    def types(self):
        """The enums and the dataclasses."""
        for name, node in self.classes.items():
            if any(name_of(base) == "Enum" for base in node.bases):
                values = [text_of(line.value) for line in node.body if isinstance(line, ast.Assign)]
                yield name, {"enum": [value for value in values if value is not None]}
            elif any(name_of(decorator) == "dataclass" for decorator in node.decorator_list):
                wire = self.wire_names(node)
                yield name, {"object": {
                    wire.get(line.target.id, line.target.id): self.type_of(line.annotation)
                    for line in node.body if isinstance(line, ast.AnnAssign)
                }}

    @staticmethod
    def wire_names(node):
        """Attribute -> JSON name, from the assignments in `as_dict`: body["finishReason"] = self.finish_reason."""
        names = {}
        for method in node.body:
            if isinstance(method, ast.FunctionDef) and method.name == "as_dict":
                for line in ast.walk(method):
                    if isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Subscript):
                        for part in ast.walk(line.value):
                            if isinstance(part, ast.Attribute) and name_of(part.value) == "self":
                                names[part.attr] = text_of(line.targets[0].slice) or part.attr
        return names

    def operations(self):
        for name, node in self.classes.items():
            for method in node.body:
                if isinstance(method, ast.FunctionDef):
                    operation = Method(self, method).operation()
                    if operation:
                        yield dict(operation, name=f"{self.name}.{name}.{method.name}")


class Method:
    """A method of an API class, which calls `self._api.do(VERB, PATH, query=..., body=..., headers=...)`."""

    def __init__(self, module, node):
        self.module, self.node = module, node
        arguments = node.args.args + node.args.kwonlyargs
        self.arguments = {a.arg: a.annotation for a in arguments if a.annotation is not None}

    def operation(self):
        call = next((call for call in calls(self.node, "do") if len(call.args) == 2), None)
        if call is None or text_of(call.args[0]) is None:
            return None
        path, parameters = self.path(call.args[1])
        keywords = {keyword.arg: keyword.value for keyword in call.keywords}
        headers = keywords.get("response_headers")
        return {
            "method": text_of(call.args[0]),
            "path": path,
            # What is no argument is the client's account id.
            "path_parameters": [self.argument(name) or "string" for name in parameters],
            "query": self.members("query"),
            "request": self.request(keywords),
            "response": "bytes" if "raw" in keywords else self.response(),
            "response_headers": self.strings(headers) if headers is not None else [],
        }

    def argument(self, name):
        annotation = self.arguments.get(name)
        return None if annotation is None else self.module.type_of(annotation)

    def path(self, node):
        """The path with `{name}` for each parameter, and the parameters' names."""
        path, parameters = "", []
        for part in node.values if isinstance(node, ast.JoinedStr) else [node]:
            if text_of(part) is not None:
                path += text_of(part)
                continue
            value = part.value
            while isinstance(value, ast.Call):  # _escape_multi_segment_path_parameter(path)
                value = value.args[0]
            if isinstance(value, ast.Attribute) and value.attr == "value":  # an enum
                value = value.value
            parameters.append(name_of(value))
            path += ("" if path.endswith("/") else "/") + "{" + name_of(value) + "}"
        return path, parameters

    def members(self, variable):
        """What the method puts into a dictionary: query["page_size"] = page_size."""
        members = {}
        for line in ast.walk(self.node):
            target = line.targets[0] if isinstance(line, ast.Assign) else None
            if isinstance(target, ast.Subscript) and name_of(target.value) == variable:
                names = [part.id for part in ast.walk(line.value) if isinstance(part, ast.Name)]
                kind = next((self.argument(name) for name in names if name in self.arguments), None)
                if kind is not None and text_of(target.slice) is not None:
                    members[text_of(target.slice)] = kind
        return members

    def request(self, keywords):
        if "data" in keywords:
            return "bytes"
        body = keywords.get("body")
        if body is None:
            return None
        if name_of(body) in self.arguments:  # body=contents
            return self.argument(name_of(body))
        for line in ast.walk(self.node):  # body = app.as_dict()
            if isinstance(line, ast.Assign) and name_of(line.targets[0]) == "body" and isinstance(line.value, ast.Call):
                return self.argument(name_of(line.value.func.value))
        return {"object": self.members("body")}

    def response(self):
        pages = [
            text_of(loop.iter.slice) for loop in ast.walk(self.node)
            if isinstance(loop, ast.For) and isinstance(loop.iter, ast.Subscript)
        ]
        if pages and self.node.returns is not None:  # for v in json["apps"]: yield App.from_dict(v)
            return self.page(pages[0], {"list": self.module.type_of(self.node.returns)})
        for call in calls(self.node, "from_dict"):
            kind = self.module.type_of(call.func.value)
            is_item = name_of(call.args[0]) == "v"  # [Workspace.from_dict(v) for v in res]
            return {"list": kind} if is_item else kind
        returns = self.node.returns
        if returns is None or name_of(getattr(returns, "value", returns)) == "Wait" or text_of(returns) is not None:
            return None
        return None if isinstance(returns, ast.Constant) else self.module.type_of(returns)

    def page(self, key, items):
        """The type of a page. The method doesn't name it: it is the only one that has these items under this key."""
        found = [
            name for name, node in self.module.classes.items() if "Response" in name
            for line in node.body if isinstance(line, ast.AnnAssign)
            and line.target.id == key and self.module.type_of(line.annotation) == items
        ]
        tokens = [text_of(part.slice) for part in ast.walk(self.node)
                  if isinstance(part, ast.Subscript) and name_of(part.value) == "json"]
        if len(found) == 1:
            return {"named": f"{self.module.name}.{found[0]}"}
        return {"part": {key: items, **{token: "string" for token in tokens if token and token.endswith("token")}}}

    def strings(self, node):
        """The texts of a list, or of the list that a variable holds."""
        if isinstance(node, ast.Name):
            lines = [line.value for line in ast.walk(self.node)
                     if isinstance(line, ast.Assign) and name_of(line.targets[0]) == node.id]
            node = lines[0] if lines else node
        return [text_of(part) for part in getattr(node, "elts", []) if text_of(part) is not None]


def main(folder):
    version = re.search(r"""__version__ = ["'](.+?)["']""", (folder / "version.py").read_text(encoding="utf-8"))
    types, operations, notes = {}, [], []
    for path in sorted((folder / "service").glob("*.py")):
        if path.name.startswith("_"):
            continue
        module = Module(path)
        types.update((f"{module.name}.{name}", kind) for name, kind in module.types())
        operations.extend(module.operations())
        notes.extend(module.notes)
    json.dump(
        {"version": version and version[1], "operations": operations, "types": types, "notes": notes}, sys.stdout)


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]))
