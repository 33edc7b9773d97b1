"""Training steps of small models, for tinygraph and its peers, side by side.

``python -m benchmarks.suite`` (or ``make bench``) measures; see ``--help``.
"""
