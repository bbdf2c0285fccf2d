# The Python side of an execution context: one process per context. Requests arrive as JSON lines on the original stdin,
# answers leave on the original stdout, and so do the code's questions to the sandbox. The user's code gets an empty
# stdin; its output and its children's is captured.
import ast
import builtins
import functools
import html
import io
import json
import linecache
import os
import queue
import signal
import sys
import threading
import time
import traceback

OUTPUT_LIMIT = 20_000_000  # bytes; the service cuts output off at about this size, too

answers = os.fdopen(os.dup(1), "w", buffering=1, encoding="utf-8")
requests = os.fdopen(os.dup(0), "r", encoding="utf-8")
os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
read_end, write_end = os.pipe()
os.dup2(write_end, 1)
os.dup2(write_end, 2)
# With line feeds on Windows as well, as on a cluster.
wrapped = functools.partial(io.TextIOWrapper, encoding="utf-8", newline="\n", write_through=True)
sys.stdout = wrapped(os.fdopen(1, "wb", 0, closefd=False))
sys.stderr = wrapped(os.fdopen(2, "wb", 0, closefd=False))

output = bytearray()
output_lock = threading.Lock()
mark = None  # what ends the output of a command, once it is on its way
marked = queue.SimpleQueue()  # the output before each mark
commands = queue.SimpleQueue()
replies = queue.SimpleQueue()
asking = threading.Lock()
asked = 0
main_thread = threading.main_thread().ident
namespace = {"__name__": "__main__", "__builtins__": __builtins__, "display": display}
running = None  # the id of the command whose code runs right now
handled = None  # the id of the last command that was interrupted
interrupted = set()  # ids whose interrupt has come, perhaps before their code began
count = 0


def gather():
    """Reads what the code and its children print, up to the mark; what is too much is dropped, but never the last bytes:
    they may be the first half of a mark. The mark is looked for first: a child may have printed more after it."""
    global mark
    while True:
        piece = os.read(read_end, 65536)
        with output_lock:
            start = max(0, len(output) - 64)
            output.extend(piece)
            end = output.find(mark, start) if mark else -1
            if end >= 0:
                marked.put(bytes(output[:end]))
                del output[: end + len(mark)]
                mark = None
            if len(output) > OUTPUT_LIMIT + 65536:
                del output[OUTPUT_LIMIT:-64]


def receive():
    """Takes requests; an interrupt reaches only the command it names, and a closed pipe ends everything."""
    for line in requests:
        request = json.loads(line)
        if "reply" in request:
            replies.put(request["reply"])
            continue
        if "files" in request:
            map_files(request["files"])
            continue
        if "interrupt" not in request:
            commands.put(request)
            continue
        interrupted.add(request["interrupt"])
        # A thread may have asked, and a wait for a reply may end with that only.
        replies.put({"number": request["unanswered"], "error": "canceled"})
        # A signal that comes just before the code begins to sleep doesn't end the sleep: it is sent again until its
        # handler has run.
        for _ in range(40):
            if request["interrupt"] != running or running == handled:
                break
            interrupt_main()
            time.sleep(0.05)
    # The sandbox is gone. So go the processes that the code has started: they share this process' group.
    if os.name == "nt":
        import subprocess

        subprocess.run(["taskkill", "/T", "/F", "/PID", str(os.getpid())], stdout=subprocess.DEVNULL)
    elif hasattr(os, "killpg") and os.getpgrp() == os.getpid():
        os.killpg(0, signal.SIGKILL)
    os._exit(0)


def interrupt_main():
    """Interrupts the main thread. Windows has no signals for a thread, but there a signal of any thread of the process
    ends the main thread's sleep, too."""
    if hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main_thread, signal.SIGINT)
    else:
        signal.raise_signal(signal.SIGINT)


class ExecutionError(Exception):
    pass


def send(message):
    """Sends a line of JSON. Half a character (a lone surrogate) is none in JSON, so it is replaced."""
    line = json.dumps(message, ensure_ascii=False, allow_nan=False)
    answers.write(line.encode("utf-16", "surrogatepass").decode("utf-16", "replace") + "\n")


def command_of_this_thread():
    """The command that this thread belongs to: the one that started it, directly or through other threads."""
    if threading.get_ident() == main_thread:
        return running
    return getattr(threading.current_thread(), "_sandbox_command", None)


def name_commands():
    """Makes every thread remember its command. The threads of a pool remember the one that started them."""
    start = threading.Thread.start

    @functools.wraps(start)
    def start_of_command(thread):
        thread._sandbox_command = command_of_this_thread()
        start(thread)

    threading.Thread.start = start_of_command


def ask(what, **details):
    """Asks the sandbox. A reply that an interrupt has kept from being read is passed over."""
    global asked, handled
    with asking:
        asked += 1
        send({"ask": what, "number": asked, "command": command_of_this_thread(), **details})
        reply = replies.get()
        while reply["number"] != asked:
            reply = replies.get()
    if running in interrupted and threading.get_ident() == main_thread:
        handled = running
        raise KeyboardInterrupt
    if "error" in reply:
        raise (AnalysisException if what in ("sql", "table") else ExecutionError)(reply["error"])
    return reply


namespace["dbutils"] = Dbutils()
namespace["spark"] = SparkSession()
sys.meta_path.append(NoPyspark())


def map_files(folder):
    """Lets the code reach files of volumes and of DBFS by the paths that they have on a cluster."""
    places = {f"/{name}": os.path.join(folder, name) for name in ("Volumes", "dbfs")}

    def mapped(path):
        text = path if isinstance(path, str) else os.fspath(path) if isinstance(path, os.PathLike) else None
        if os.name == "nt" and isinstance(text, str):
            text = text.replace("\\", "/")
        for start, place in places.items():
            if isinstance(text, str) and (text == start or text.startswith(start + "/")):
                return place + text[len(start) :]
        return path

    def wrap(module, name, paths):
        original = getattr(module, name)

        @functools.wraps(original)
        def wrapped(*arguments, **options):
            return original(*map(mapped, arguments[:paths]), *arguments[paths:], **options)

        setattr(module, name, wrapped)

    wrap(builtins, "open", 1)
    wrap(io, "open", 1)
    names = "access chdir chmod listdir lstat mkdir open remove rmdir scandir stat truncate unlink utime"
    for name in names.split():
        wrap(os, name, 1)
    for name in ("rename", "replace"):
        wrap(os, name, 2)
    if os.name == "nt":
        # There they don't go by way of os.stat.
        for name in ("exists", "isdir", "isfile", "islink", "lexists"):
            wrap(os.path, name, 1)


def on_interrupt(signum, frame):
    global handled
    if running is not None:
        handled = running
        raise KeyboardInterrupt


def printed():
    """Everything printed so far. A mark sent through the same pipe tells when all of it has been read."""
    global mark
    end = b"\0END %d\0" % count
    with output_lock:
        mark = end
    os.write(write_end, end)
    return marked.get().decode("utf-8", "replace")


def evaluate(code):
    """Runs the code; the value of a last expression is its result, as in a notebook."""
    name = f"<command-{count}>"
    first = code.lstrip().split(None, 1)[:1]
    if first and first[0] in ("%pip", "%restart_python"):
        # Everything that this machine's Python has is there, and nothing is installed.
        print(f"Note: the sandbox does not run {first[0]}.")
        code = "\n".join("" if line.lstrip().startswith("%") else line for line in code.split("\n"))
    linecache.cache[name] = (len(code), None, code.splitlines(True), name)
    tree = ast.parse(code, name, "exec")
    last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    if tree.body:
        exec(compile(tree, name, "exec"), namespace)
    if last is None:
        return None
    value = eval(compile(ast.Expression(last.value), name, "eval"), namespace)
    if value is None:
        return None
    namespace["_"] = value
    return repr(value)


def attempt(request):
    global running, showing
    showing = request["show"]
    shown.clear()
    displayed.clear()
    try:
        running = request["id"]
        try:
            if running in interrupted:
                raise KeyboardInterrupt
            value = evaluate(request["command"])
            show_open_figures()
        finally:
            running = None
        return {"value": value, "shown": take_shown() if showing else None}
    except BaseException:
        running = None
        kind, error, trace = sys.exc_info()
    try:
        close_figures()  # which would be the next command's
    except Exception:
        pass
    if kind is KeyboardInterrupt:
        return {"cancelled": True}
    return failure(kind, error, trace)


def failure(kind, error, trace):
    while trace and not trace.tb_frame.f_code.co_filename.startswith("<command-"):
        trace = trace.tb_next
    try:
        message = str(error)
    except Exception:
        message = "<the error has no text>"
    return {
        "summary": f'<span class="ansi-red-fg">{kind.__name__}</span>: {html.escape(message, quote=False)}',
        "cause": "-" * 75 + "\n" + "".join(traceback.format_exception(kind, error, trace)),
    }


signal.signal(signal.SIGINT, on_interrupt)
threading.Thread(target=gather, daemon=True).start()
threading.Thread(target=receive, daemon=True).start()
name_commands()
send({"ready": sys.version.split()[0]})
while True:
    request = commands.get()
    count += 1
    answer = attempt(request)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:  # the code may have closed it
            pass
    answer["id"] = request["id"]
    answer["printed"] = printed()
    try:
        send(answer)
    except (RecursionError, TypeError, ValueError) as error:  # of names or cells that JSON doesn't have
        failed = failure(type(error), error, None)
        send({**failed, "id": answer["id"], "printed": answer["printed"]})
