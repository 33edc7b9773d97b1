"""``python -m tinygraph.check.properties [name …]``: measure the claims and print the report."""

import sys

from . import report

if __name__ == "__main__":
    found = report(*sys.argv[1:])
    print(found)
    sys.exit(not found.ok)
