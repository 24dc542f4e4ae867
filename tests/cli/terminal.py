#!/usr/bin/python3
"""Run a command on a terminal: terminal.py COLUMNS INPUT COMMAND...

INPUT (with Python's escapes) is typed as soon as the command is silent for half a second; empty:
nothing is typed. What the terminal got is printed as it is, and the exit code is the command's.
"""

import fcntl
import os
import pty
import select
import struct
import sys
import termios
import time

SILENCE_S = 0.5
LONGEST_S = 60


def main():
    columns, typed = int(sys.argv[1]), sys.argv[2].encode().decode('unicode_escape').encode()
    ready, go = os.pipe()
    pid, terminal = pty.fork()
    if pid == 0:
        os.close(go)
        os.read(ready, 1)  # until the window has its size
        os.close(ready)
        os.execvp(sys.argv[3], sys.argv[3:])
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack('HHHH', 24, columns, 0, 0))
    os.close(go)
    end = time.monotonic() + LONGEST_S
    while time.monotonic() < end:
        if select.select([terminal], [], [], SILENCE_S)[0]:
            try:
                data = os.read(terminal, 65536)
            except OSError:  # the command has ended
                break
            sys.stdout.buffer.write(data)
        elif typed:
            os.write(terminal, typed)
            typed = b''
    else:
        os.kill(pid, 9)
    sys.stdout.buffer.flush()
    sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))


main()
