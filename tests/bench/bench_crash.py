#!/usr/bin/python3
"""Kill the daemon with SIGKILL at named points and at random, start it again, repeat what was not
answered, and count in the cloud what there is: tests/crash has it all. Exit code 1 where anything was
lost, doubled or unknown to the journal.
"""

import os
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'crash'))
import crash  # noqa: E402

sys.exit(crash.main())
