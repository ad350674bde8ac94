"""One module for each output format; its file name, with dashes, is the value of ``--output-format``.

A format is a function ``write(report, stream)``. Two optional flags beside it say what the command has to do for it:
``IS_DOCUMENT`` (its reader needs a whole document, whatever went wrong; default: no) and ``NEEDS_RULES`` (it wants
`Report.rules`; default: no). docs/command-line.md describes every format.
"""
