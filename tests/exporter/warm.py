"""An interpreter that has torch loaded: it forks for each worker, so that tests need not import torch each time.

`WarmPython` starts the server and gives the path of a program that stands in for ``--python``. What that program
runs is the worker as it is, in a process of its own, behind the supervision of the product; only imports are saved.
"""

from __future__ import annotations

import stat
import subprocess
import sys
import time
from pathlib import Path

from systems import untraced

_SERVER = """
import array, functools, json, os, runpy, select, signal, socket, sys, types, warnings

import onnx, onnxruntime, onnxscript, torch

torch.set_num_threads(1)
try:  # every export parses all of torchlib again, which is most of the time of a small one: once is enough
    from torch.onnx._internal.exporter import _registration

    ops = functools.cache(_registration.onnxscript_apis.get_torchlib_ops)
    _registration.onnxscript_apis = types.SimpleNamespace(get_torchlib_ops=ops)
except (ImportError, AttributeError):
    pass  # another version of torch: slower, and right all the same


class Small(torch.nn.Module):
    def forward(self, x):
        return torch.relu(x[:2]) + 1


with warnings.catch_warnings():  # the first export of a process costs seconds
    warnings.simplefilter("ignore")
    torch.onnx.export(Small(), (torch.randn(4, 4),), dynamo=True, verbose=False, dynamic_shapes={"x": {0: "n"}})


def signal_group(pid, number):
    try:
        os.killpg(pid, number)
    except ProcessLookupError:  # killed before it made its group
        os.kill(pid, number)


def serve(connection):
    message, ancillary, _, _ = connection.recvmsg(1 << 20, socket.CMSG_SPACE(12))
    request = json.loads(message)
    streams = array.array("i")
    streams.frombytes(ancillary[0][2][:12])
    pid = os.fork()
    if pid == 0:
        connection.close()
        os.setsid()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(request["cwd"])
        os.environ.clear()
        os.environ.update(request["environment"])
        if "COVERAGE_PROCESS_CONFIG" in os.environ:
            import coverage

            coverage.process_startup()
        sys.argv = request["arguments"]
        status = 1
        try:
            runpy.run_path(sys.argv[0], run_name="__main__")
            status = 0
        except SystemExit as end:
            status = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        except BaseException:
            sys.excepthook(*sys.exc_info())
        os._exit(status)
    for stream in streams:
        os.close(stream)
    ended = os.pidfd_open(pid)
    if ended not in select.select([ended, connection], [], [])[0]:  # the client was killed: so is the worker
        signal_group(pid, signal.SIGABRT)  # by itself it would have got the signal of its group, and told where it was
        select.select([ended], [], [], 2)
        signal_group(pid, signal.SIGKILL)
        return
    connection.send(str(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])).encode())


listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen(16)
signal.signal(signal.SIGCHLD, signal.SIG_IGN)
while True:
    connection, _ = listener.accept()
    if os.fork() == 0:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        listener.close()
        try:
            serve(connection)
        except BaseException:
            sys.excepthook(*sys.exc_info())  # into the log
        finally:
            os._exit(0)
    connection.close()
"""

_CLIENT = """#!{python} -S
import array, json, os, signal, socket, sys

arguments = sys.argv[1:]
while arguments[0].startswith("-"):
    del arguments[: 2 if arguments[0] == "-X" else 1]
connection = socket.socket(socket.AF_UNIX)
connection.connect({address!r})
request = dict(arguments=arguments, cwd=os.getcwd(), environment=dict(os.environ))
streams = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
connection.sendmsg([json.dumps(request).encode()], [streams])
status = int(connection.recv(16) or 1)
if status < 0:
    if -status != signal.SIGKILL:
        signal.signal(-status, signal.SIG_DFL)
    os.kill(os.getpid(), -status)
sys.exit(status)
"""


class WarmPython:
    """The server, and `program`, to be given as ``--python``."""

    def __init__(self, folder: Path) -> None:
        address = folder / "warm.sock"
        self.program = folder / "python"
        self.program.write_text(_CLIENT.format(python=sys.executable, address=str(address)))
        self.program.chmod(stat.S_IRWXU)
        self._log = (folder / "log").open("wb")
        self._server = subprocess.Popen(
            [sys.executable, "-c", _SERVER, str(address)], stdout=self._log, stderr=self._log, env=untraced()
        )
        while not address.exists():
            if self._server.poll() is not None:
                raise RuntimeError((folder / "log").read_text())
            time.sleep(0.05)

    def close(self) -> None:
        self._server.kill()
        self._server.wait()
        self._log.close()
