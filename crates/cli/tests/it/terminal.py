# Runs a program on a terminal of its own and copies what the terminal is sent. The first argument names the streams that
# are the terminal (as in 12 for stdout and stderr); the others stay this program's own. An INT is typed as Ctrl-C.
import fcntl
import os
import pty
import signal
import struct
import sys
import termios

streams, columns, program = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
kept = [os.dup(stream) for stream in range(3)]
child, terminal = pty.fork()
if child == 0:
    fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    for stream in range(3):
        if str(stream) not in streams:
            os.dup2(kept[stream], stream)
    os.execv(program[0], program)
signal.signal(signal.SIGINT, lambda *_: os.write(terminal, b"\x03"))
shown = 1 if "1" in streams else 2
try:
    while piece := os.read(terminal, 65536):
        os.write(shown, piece)
except OSError:  # how some systems say that the program has ended
    pass
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
