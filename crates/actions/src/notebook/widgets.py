def _brick_parameters(values):
    utilities = globals().get("dbutils")
    inner = getattr(utilities, "widgets", None)
    given = dict(values)

    class Widgets:
        def text(self, name, defaultValue="", label=None):
            given.setdefault(name, defaultValue)

        def dropdown(self, name, defaultValue="", choices=(), label=None):
            given.setdefault(name, defaultValue)

        combobox = multiselect = dropdown

        def get(self, name):
            return given[name] if name in given or inner is None else inner.get(name)

        def getArgument(self, name, defaultValue=None):
            return given.get(name, defaultValue)

        def getAll(self):
            return dict(given)

        def remove(self, name):
            if name not in values:
                given.pop(name, None)

        def removeAll(self):
            for name in list(given):
                self.remove(name)

    class Utilities:
        widgets = Widgets()

        def __getattr__(self, name):
            return getattr(utilities, name)

    try:
        utilities.widgets = Widgets()
    except Exception:
        globals()["dbutils"] = Utilities()
    globals()["getArgument"] = Widgets().getArgument


