# Types lines into an interactive shell on a terminal of its own, each followed by TAB and Enter, and prints what the
# terminal was sent. The arguments are the shell's own; the lines are those of stdin.
import os
import pty
import select
import sys
import time

lines = sys.stdin.read().splitlines()
shell = sys.argv[1:]
child, terminal = pty.fork()
if child == 0:
    os.execvp(shell[0], shell)
shown = b""


def read(first, quiet):
    """Reads until nothing has come for a while; waits longer for the first piece."""
    global shown
    wait = first
    while select.select([terminal], [], [], wait)[0]:
        try:
            piece = os.read(terminal, 65536)
        except OSError:
            return
        if not piece:
            return
        shown += piece
        if b"\x1b[c" in piece or b"\x1b[0c" in piece:  # fish asks what the terminal is
            os.write(terminal, b"\x1b[?62c")
        wait = quiet


def entries():
    """How many lines have run."""
    if not os.path.exists("ran"):
        return 0
    with open("ran", "rb") as file:
        return file.read().count(b"\n--\n")


read(60, 0.7)
for line in lines:
    os.write(terminal, line.encode())
    read(5, 0.1)
    os.write(terminal, b"\t")
    read(10, 0.3)
    before = entries()
    limit = time.monotonic() + 60
    os.write(terminal, b"\n")
    while entries() == before and time.monotonic() < limit:
        read(0.05, 0)
    if entries() == before:
        break
    # The next prompt.
    read(0.1, 0.1)
os.write(terminal, b"exit\n")
read(60, 60)
os.close(terminal)
os.waitpid(child, 0)
sys.stdout.buffer.write(shown)
