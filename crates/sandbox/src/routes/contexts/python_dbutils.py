# `dbutils`: secrets, widgets and files, as notebooks have them.
import base64
import collections
import os

SecretScope = collections.namedtuple("SecretScope", "name")
SecretMetadata = collections.namedtuple("SecretMetadata", "key")


class Secrets:
    def getBytes(self, scope, key):
        return base64.b64decode(ask("get", scope=scope, key=key)["value"])

    def get(self, scope, key):
        return self.getBytes(scope, key).decode("utf-8")

    def list(self, scope):
        return [SecretMetadata(name) for name in ask("list", scope=scope)["names"]]

    def listScopes(self):
        return [SecretScope(name) for name in ask("listScopes")["names"]]


class Widgets:
    def __init__(self):
        self.values = {}

    def text(self, name, defaultValue, label=None):
        self.values.setdefault(name, defaultValue)

    def dropdown(self, name, defaultValue, choices, label=None):
        self.values.setdefault(name, defaultValue)

    combobox = multiselect = dropdown

    def get(self, name):
        if name not in self.values:
            raise ValueError(f"InputWidgetNotDefined: No input widget named {name} is defined")
        return self.values[name]

    def getArgument(self, name, defaultValue=None):
        return self.values.get(name, defaultValue)

    def getAll(self):
        return dict(self.values)

    def remove(self, name):
        self.values.pop(name, None)

    def removeAll(self):
        self.values.clear()


FileInfo = collections.namedtuple("FileInfo", "path name size modificationTime")


class FileSystem:
    """Files of DBFS and of volumes."""

    def _local(self, path):
        if path.startswith("file:"):
            return path[len("file:") :]
        path = "/" + path.removeprefix("dbfs:").lstrip("/")
        return path if path == "/Volumes" or path.startswith("/Volumes/") else "/dbfs" + path

    def ls(self, path="/"):
        local = self._local(path)
        if not os.path.isdir(local):
            names = [os.path.basename(local)]
            folder = os.path.dirname(path)
        else:
            names, folder = sorted(os.listdir(local)), path
        found = []
        for name in names:
            known = os.stat(os.path.join(self._local(folder), name))
            end = "/" if os.path.isdir(os.path.join(self._local(folder), name)) else ""
            start = folder.rstrip("/") if ":" in folder else "dbfs:" + folder.rstrip("/")
            size = 0 if end else known.st_size
            found.append(FileInfo(f"{start}/{name}{end}", name + end, size, int(known.st_mtime * 1000)))
        return found

    def head(self, file, maxBytes=65536):
        with open(self._local(file), "rb") as opened:
            return opened.read(maxBytes).decode("utf-8", "replace")

    def put(self, file, contents, overwrite=False):
        with open(self._local(file), "w" if overwrite else "x", encoding="utf-8", newline="") as opened:
            opened.write(contents)
        return True

    def mkdirs(self, path):
        os.makedirs(self._local(path), exist_ok=True)
        return True

    def rm(self, path, recurse=False):
        local = self._local(path)
        if not os.path.isdir(local):
            os.remove(local)
        else:
            if recurse:
                for name in os.listdir(local):
                    self.rm(path.rstrip("/") + "/" + name, True)
            os.rmdir(local)
        return True

    def cp(self, source, to, recurse=False):
        local = self._local(source)
        if os.path.isdir(local):
            if not recurse:
                raise ExecutionError(f"{source} is a folder: set recurse")
            self.mkdirs(to)
            for name in os.listdir(local):
                self.cp(source.rstrip("/") + "/" + name, to.rstrip("/") + "/" + name, True)
            return True
        with open(local, "rb") as opened, open(self._local(to), "wb") as copied:
            copied.write(opened.read())
        return True

    def mv(self, source, to, recurse=False):
        self.cp(source, to, recurse)
        return self.rm(source, recurse)


class Dbutils:
    secrets = Secrets()
    widgets = Widgets()
    fs = FileSystem()

    def __getattr__(self, name):
        raise AttributeError(f"the sandbox has no dbutils.{name}")


