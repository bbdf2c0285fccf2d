"""Draws docs/picture.svg: a session of `brick` against the sandbox, as a terminal shows it.

Usage: picture.py BRICK FILE [--write]

The commands run in a pseudo-terminal, and pyte, a terminal emulator, turns what they print into cells. Without --write, the
exit code is 1 if FILE shows other text than the program prints today; times and IDs of runs may differ.
"""

import codecs
import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import sys
import tempfile
import termios
import time
from html import escape
from pathlib import Path

import pyte

COLUMNS, ROWS = 94, 60
DEADLINE_SECONDS = 60

# What is typed; each leaves its output on the screen.
COMMANDS = [
    ["brick sql \"SELECT pickup_zip, count(*) AS trips, round(avg(fare_amount), 2) AS fare",
     "           FROM samples.nyctaxi.trips GROUP BY ALL ORDER BY trips DESC, pickup_zip LIMIT 5\""],
    ["brick sql \"SELECT * FROM samples.nyctaxi.trips\" --out trips.parquet"],
    ["brick warehouses start Reporting"],
    ["brick run -c shared-analytics -f import.py"],
]

NOTEBOOK = """# Databricks notebook source
print("importing 3 files")

# COMMAND ----------

# DBTITLE 1,Trips so far
# MAGIC %sql SELECT count(*) AS trips, round(sum(fare_amount)) AS fares FROM samples.nyctaxi.trips

# COMMAND ----------

raise ValueError("2 of 3 files are damaged")
"""

CELL_WIDTH, LINE_HEIGHT, FONT_SIZE, MARGIN, BAR = 8.4, 20, 14, 20, 36
BACKGROUND, FOREGROUND = "#0d1117", "#d1d7e0"
COLORS = {
    "red": "#ff7b72", "brightred": "#ff7b72", "green": "#3fb950", "brown": "#d29922", "yellow": "#d29922",
    "blue": "#58a6ff", "cyan": "#56d4dd", "magenta": "#d2a8ff", "brightblack": "#8b949e",
}
STYLE = f"""text {{ font: {FONT_SIZE}px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre; fill: {FOREGROUND} }} .b {{ font-weight: 600 }}
""" + "\n".join(f".{name} {{ fill: {color} }}" for name, color in COLORS.items())


def run(command, environment, folder):
    """What a command leaves on a terminal, as lines of (text, color, is bold)."""
    screen = pyte.Screen(COLUMNS, ROWS)
    stream = pyte.Stream(screen)
    decode = codecs.getincrementaldecoder("utf-8")("replace").decode
    process, terminal = pty.fork()
    if process == 0:
        # Before the command can ask for it.
        fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", ROWS, COLUMNS, 0, 0))
        os.chdir(folder)
        os.execvpe("sh", ["sh", "-c", command], environment)
    end = time.monotonic() + DEADLINE_SECONDS
    while True:
        if not select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
            os.kill(process, 15)
            sys.exit(f"no end after {DEADLINE_SECONDS} seconds: {command}")
        try:
            data = os.read(terminal, 65536)
        except OSError:  # Linux reports the end of a terminal as an error.
            data = b""
        if not data:
            break
        # pyte doesn't know "dim" (2); bright black is how it looks.
        stream.feed(decode(data).replace("\x1b[2m", "\x1b[90m"))
    os.waitpid(process, 0)
    lines = [runs_of(screen.buffer[row]) for row in range(ROWS)]
    while lines and not text_of(lines[-1]).strip():
        lines.pop()
    return lines


def runs_of(cells):
    """The cells of a line, joined where they look the same."""
    runs = []
    for column in range(COLUMNS):
        cell = cells[column]
        if runs and runs[-1][1:] == (cell.fg, cell.bold):
            runs[-1] = (runs[-1][0] + cell.data, cell.fg, cell.bold)
        else:
            runs.append((cell.data, cell.fg, cell.bold))
    return runs


def text_of(line):
    return "".join(text for text, _, _ in line).rstrip()


def session(brick):
    """The lines of all commands, against one sandbox."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {
            "PATH": os.pathsep.join([str(Path(brick).resolve().parent), os.environ["PATH"]]),
            "HOME": folder, "TERM": "xterm-256color", "LANG": "C.UTF-8", "BRICK_PAGER": "",
            # That of a fresh sandbox that runs; without it, a line says which warehouse is the default.
            "DATABRICKS_WAREHOUSE_ID": "4f1c8a3be02d7719",
        }
        Path(folder, "import.py").write_text(NOTEBOOK, encoding="utf-8")
        sandbox = subprocess.Popen(
            [brick, "sandbox", "--seed", "14"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env=environment,
        )
        try:
            for line in sandbox.stdout:
                exported = re.match(r"export (\w+)='?([^'\n]*)", line)
                if exported:
                    environment[exported[1]] = exported[2]
                if "DATABRICKS_TOKEN" in environment:
                    break
            lines = []
            for command in COMMANDS:
                for at, typed in enumerate(command):
                    prompt = ("$ ", "green", True) if at == 0 else ("  ", "default", False)
                    lines.append([prompt, (typed, "default", True)])
                lines += run("\n".join(command), environment, folder) + [[]]
            return lines[:-1]
        finally:
            sandbox.terminate()
            sandbox.wait()


def draw(lines):
    width = round(COLUMNS * CELL_WIDTH + 2 * MARGIN)
    height = BAR + len(lines) * LINE_HEIGHT + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">',
        "<title>A terminal session of brick</title>",
        f"<style>{STYLE}</style>",
        f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="10" fill="{BACKGROUND}" stroke="#3d444d"/>',
    ]
    for at, color in enumerate(["#ff5f57", "#febc2e", "#28c840"]):
        parts.append(f'<circle cx="{MARGIN + 4 + at * 20}" cy="{BAR / 2 + 1:g}" r="6" fill="{color}"/>')
    for row, line in enumerate(lines):
        column, baseline = 0, BAR + row * LINE_HEIGHT + FONT_SIZE
        for text, color, bold in line:
            start = column + len(text) - len(text.lstrip())
            shown = text.strip()
            column += len(text)
            if not shown:
                continue
            names = [name for name in (color if color in COLORS else "", "b" if bold else "") if name]
            style = f' class="{" ".join(names)}"' if names else ""
            # The length keeps columns aligned in a font of another width.
            parts.append(
                f'<text x="{MARGIN + start * CELL_WIDTH:.1f}" y="{baseline}" textLength="{len(shown) * CELL_WIDTH:.1f}"'
                f' lengthAdjust="spacingAndGlyphs"{style}>{escape(shown, quote=False)}</text>'
            )
    return "\n".join([*parts, "</svg>", ""])


def comparable(svg):
    """A picture without what differs from run to run: times, sizes, and IDs of runs, and the lengths that follow from them."""
    svg = re.sub(r"\d+\.\d s\b|[\d.]+ kB\b|\b\d{12,}\b", "#", svg)
    return re.sub(r' (x|y|textLength|width|height|viewBox)="[^"]*"', "", svg)


def main():
    brick, file = sys.argv[1], Path(sys.argv[2])
    picture = draw(session(brick))
    if "--write" in sys.argv[3:]:
        file.write_text(picture, encoding="utf-8")
    elif not file.exists() or comparable(file.read_text(encoding="utf-8")) != comparable(picture):
        sys.exit(f"{file} does not show what brick prints: run tests/picture.sh --write, and look at it")


main()
