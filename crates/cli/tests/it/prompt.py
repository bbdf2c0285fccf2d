# Holds a conversation with a program on a terminal of its own. The arguments are the program's; stdin is JSON: a list of
# [words, keys]. Waits until the words are shown after those before, and types the keys. Prints what was shown.
import fcntl
import json
import os
import pty
import re
import select
import struct
import sys
import termios
import time

steps = json.load(sys.stdin)
program = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 100, 0, 0))
    os.execv(program[0], program)
shown = ""
seen = 0
limit = time.monotonic() + 100


def read():
    """Reads what has come; False at the end."""
    global shown
    left = limit - time.monotonic()
    if left <= 0 or not select.select([terminal], [], [], left)[0]:
        print(shown)
        sys.exit("it shows nothing more")
    try:
        piece = os.read(terminal, 65536)
    except OSError:  # how some systems say that the program has ended
        return False
    shown += re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", piece.decode(errors="replace"))
    return bool(piece)


for words, keys in steps:
    while (at := shown.find(words, seen)) < 0:
        if not read():
            print(shown)
            sys.exit(f"it ended before it showed {words!r}")
    seen = at + len(words)
    os.write(terminal, keys.encode())
while read():
    pass
print(shown)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
