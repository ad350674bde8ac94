"""``python -I -S worker/forked.py SOCKET``: stands where a worker's process stands, which the server forks.

It hands its streams over, waits, and ends as the worker ended. Little is imported, all of the standard library.
"""

import array
import json
import os
import signal
import socket
import sys


def main() -> None:
    """Ask the server for a worker with this process's streams, folder and environment."""
    connection = socket.socket(socket.AF_UNIX)
    connection.connect(sys.argv[1])
    request = {"cwd": os.getcwd(), "environment": dict(os.environ)}
    streams = (socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))
    connection.sendmsg([json.dumps(request).encode()], [streams])
    for number in range(3):  # only the worker holds them now: their end is its end
        os.close(number)
    status = int(connection.recv(16) or 1)
    if status < 0:
        if -status != signal.SIGKILL:
            signal.signal(-status, signal.SIG_DFL)
        os.kill(os.getpid(), -status)
    os._exit(status)


if __name__ == "__main__":
    main()
