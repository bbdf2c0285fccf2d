# Runs a program whose stdin and stderr are a terminal of its own. What is read from this program's stdin is typed there,
# and what the terminal is sent is copied to stderr. At the end it adds the program's arguments, as other users of the
# machine see them, and whether the terminal echoes.
import os
import pty
import select
import sys
import termios

program = sys.argv[1:]
stdout = os.dup(1)
child, terminal = pty.fork()
if child == 0:
    os.dup2(stdout, 1)
    os.execv(program[0], program)
arguments = b""
sources = [terminal, 0]
try:
    while True:
        ready = select.select(sources, [], [])[0]
        if 0 in ready:
            typed = os.read(0, 65536)
            os.write(terminal, typed)
            if not typed:
                sources.remove(0)
        if terminal in ready:
            piece = os.read(terminal, 65536)
            if not piece:
                break
            if os.path.exists(f"/proc/{child}/cmdline"):
                with open(f"/proc/{child}/cmdline", "rb") as file:
                    arguments = file.read() or arguments
            os.write(2, piece)
except OSError:  # how some systems say that the program has ended
    pass
code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
echo = "on" if termios.tcgetattr(terminal)[3] & termios.ECHO else "off"
os.write(2, b"arguments: " + arguments.replace(b"\0", b" ") + f"\necho: {echo}\n".encode())
sys.exit(code)
