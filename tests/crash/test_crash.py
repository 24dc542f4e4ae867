#!/usr/bin/python3
"""200 runs of kill -9 (100 with sanitizers), over all points and clouds; a part of what
`tools/bench crash` does."""

import os
import sys
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import crash  # noqa: E402

if __name__ == '__main__':
    runs = '100' if crash.sanitized() else '200'
    # Another part each day; what is found bad is printed with its seed.
    seed = str(int(time.time() // 86400) * 1000)
    sys.exit(crash.main([runs, '--seed', seed]))
