"""Changes of a model's source that may make an export right, for ``--repair`` to try: none is right in general.

Each module knows one kind of statement or expression, by its form alone. Whether the model still gives what it gave,
and whether the export is right then, is what the repair finds out by running both.
"""
