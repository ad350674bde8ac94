"""Keep the current folder, which holds what is linted, from being searched for modules."""

from __future__ import annotations

import os
import sys

_OWN = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def drop_current_folder() -> None:
    """Take the current folder off ``sys.path``, however it came there: ``python -m``, ``PYTHONPATH=.``.

    Only what comes before the standard library is looked at, which is what these two put there. The folder stays if
    this package itself was imported from it: what is there runs already. Modules that the interpreter imported before
    it came here are beyond reach; ``python -I`` keeps it from that.
    """
    try:
        current = os.path.realpath(os.getcwd())
    except OSError:  # the folder is gone: nothing can be imported from it
        return
    if current == os.path.realpath(_OWN):
        return
    library = os.path.dirname(os.__file__)
    first = sys.path.index(library) if library in sys.path else len(sys.path)
    sys.path[:first] = [entry for entry in sys.path[:first] if os.path.realpath(entry) != current]
