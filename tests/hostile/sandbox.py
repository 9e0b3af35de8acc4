"""A child process that does jobs one after the other: what crashes or stops it is reported, and the next job gets a new child."""

import multiprocessing
import resource
import signal


class Sandbox:
    """`prepare()` is called in each child and gives the function that does a job. A child may take `room` bytes of addresses more than it
    starts with, and `seconds` a job."""

    def __init__(self, prepare, room=6 << 30, seconds=20):
        self.prepare, self.room, self.seconds = prepare, room, seconds
        self.child = None

    def __call__(self, job):
        """(None, result), or (what went wrong, None)."""
        if self.child is None:
            self.start()
        try:
            self.pipe.send(job)
            if not self.pipe.poll(self.seconds):
                self.stop()
                return f"hangs: nothing for {self.seconds} s", None
            return None, self.pipe.recv()
        except (EOFError, ConnectionError):
            self.child.join()
            code = self.child.exitcode
            self.child = None
            return f"crashes: {signal.Signals(-code).name if code < 0 else f'exit code {code}'}", None

    def start(self):
        context = multiprocessing.get_context("fork")
        self.pipe, far = context.Pipe()
        self.child = context.Process(target=self.serve, args=(far, self.pipe), daemon=True)
        self.child.start()
        far.close()

    def stop(self):
        if self.child is not None:
            self.child.kill()
            self.child.join()
            self.child = None

    def serve(self, pipe, near):
        near.close()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        work = self.prepare()
        if self.room:
            with open("/proc/self/statm") as statm:
                used = int(statm.read().split()[0]) * resource.getpagesize()
            resource.setrlimit(resource.RLIMIT_AS, (used + self.room, used + self.room))
        while True:
            try:
                job = pipe.recv()
            except EOFError:
                return
            pipe.send(work(job))
