"""Profiles of a session's runs as a file for chrome://tracing."""

from __future__ import annotations

import json
import os
import threading
import time
from datetime import datetime
from typing import Any

from .. import _native


class Profiling:
    """Collects the steps of runs. For any number of threads."""

    def __init__(self, prefix: str):
        self._prefix = prefix
        self._lock = threading.Lock()
        self._events: list[dict[str, Any]] = []
        self.start_ns = time.time_ns()
        self._origin = time.perf_counter_ns()

    def run(self, session: _native.Session, feed: dict[str, Any], outputs: Any, token: Any) -> list[Any]:
        began = time.perf_counter_ns()
        results, text = session.profile(feed, outputs, 0.0, token)
        ended = time.perf_counter_ns()
        thread = threading.get_native_id()
        events = [self._event("Session", "model_run", thread, began, ended, {})]
        for step in json.loads(text)["events"]:
            events.append(self._event("Node", f"{step['node']}_kernel_time", thread, began + step["begin_ns"], began + step["end_ns"],
                                      {"op_name": step["op"], "provider": step["provider"], "kernel": step["kernel"],
                                       "origin": ", ".join(step["origin"])}))
        with self._lock:
            self._events.extend(events)
        return list(results.values())

    def write(self) -> str:
        """Writes the file and gives its name."""
        path = f"{self._prefix}_{datetime.now():%Y-%m-%d_%H-%M-%S_%f}"[:-3] + ".json"
        with self._lock, open(path, "w", encoding="utf-8") as file:
            json.dump(self._events, file)
        return path

    def _event(self, category: str, name: str, thread: int, began: int, ended: int, args: dict[str, str]) -> dict[str, Any]:
        return {"cat": category, "name": name, "ph": "X", "pid": os.getpid(), "tid": thread, "ts": (began - self._origin) // 1000,
                "dur": (ended - began) // 1000, "args": args}
