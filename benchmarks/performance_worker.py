"""Processes that measure for `performance.py`, one a library, and take turns.

Libraries disturb each other in one process, and the threads of an idle one that spin
for work disturb the others. So each has a process of its own, which sleeps until it is
asked, and waits a moment after its turn before the next one begins.
"""

import json
import os
import subprocess
import sys
import time
import traceback

import performance_tasks
from performance_ways import WAYS

# By then the idle threads of all libraries sleep.
REST = 0.3


class MissingPackageError(Exception):
    """A library is not installed."""


class Worker:
    """A process that measures one way of `WAYS`."""

    def __init__(self, way):
        self.way = way
        self._process = subprocess.Popen(
            [sys.executable, __file__, way],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=WAYS[way].variables,
        )

    def __enter__(self):
        return self

    def __exit__(self, *_error):
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def ask(self, task, *args, **parameters):
        """Have something measured; return what the task returns."""
        print(
            json.dumps([task, args, parameters]), file=self._process.stdin, flush=True
        )
        answer = json.loads(self._process.stdout.readline() or '{"error": "no answer"}')
        time.sleep(REST)
        if "missing" in answer:
            raise MissingPackageError(answer["missing"])
        if "error" in answer:
            raise RuntimeError(f"{self.way}, {task} {parameters}:\n{answer['error']}")
        return answer["result"]


def ask_new(way, task, *args, **parameters):
    """Have something measured by a process that has done nothing else."""
    with Worker(way) as worker:
        return worker.ask(task, *args, **parameters)


def serve(way):
    """Answer each line of input with a line of output."""
    # What libraries print goes to the error stream.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    tasks = performance_tasks.Tasks(WAYS[way].make)
    for line in sys.stdin:
        print(json.dumps(answer(tasks, *json.loads(line))), file=answers, flush=True)


def answer(tasks, task, args, parameters):
    try:
        return {"result": getattr(tasks, task)(*args, **parameters)}
    except ModuleNotFoundError as error:
        return {"missing": error.name}
    except Exception:
        return {"error": traceback.format_exc()}


if __name__ == "__main__":
    serve(sys.argv[1])
