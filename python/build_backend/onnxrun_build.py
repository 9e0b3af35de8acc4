"""Builds wheels with scikit-build-core; before it, looks for a compiler, and finds oneDNN in the packages that pip fetched for the build."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
import sys
from pathlib import Path

from scikit_build_core import build as _build
from scikit_build_core.build import (  # noqa: F401
    get_requires_for_build_editable, get_requires_for_build_wheel, prepare_metadata_for_build_editable, prepare_metadata_for_build_wheel)

_MB_A_COMPILER = 1500


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    _prepare()
    return _build.build_wheel(wheel_directory, _settings(config_settings), metadata_directory)


def build_editable(wheel_directory, config_settings=None, metadata_directory=None):
    _prepare()
    return _build.build_editable(wheel_directory, _settings(config_settings), metadata_directory)


def build_sdist(sdist_directory, config_settings=None):
    sys.exit("onnxrun's Python package is built from a checkout, not from a source distribution: pip install ./python, or pip wheel ./python")


def _prepare():
    # The system's compilers under the names that the project's other builds know, so that ccache shares what they made; not those that
    # the interpreter was built with.
    for variable, name in (("CC", "cc"), ("CXX", "c++")):
        compiler = os.environ.setdefault(variable, name).split(" ")[0]
        if not shutil.which(compiler):
            sys.exit(f"onnxrun needs a C++20 compiler, and there is no '{compiler}'.\n"
                     "On Debian and Ubuntu: sudo apt-get install --no-install-recommends g++")
    if "CMAKE_BUILD_PARALLEL_LEVEL" not in os.environ:
        os.environ["CMAKE_BUILD_PARALLEL_LEVEL"] = str(max(1, min(len(os.sched_getaffinity(0)), _free_mb() // _MB_A_COMPILER)))


def _free_mb():
    for line in Path("/proc/meminfo").read_text().splitlines():
        if line.startswith("MemAvailable:"):
            return int(line.split()[1]) // 1024
    return _MB_A_COMPILER


def _settings(given):
    settings = dict(given or {})
    key = "cmake.define.ONNXRUN_ONEDNN_ROOT"
    root = _onednn_root()
    if root is not None and key not in settings and "ONNXRUN_ONEDNN_ROOT" not in os.environ:
        settings[key] = str(root)
    return settings


def _onednn_root():
    """The folder in which pip put oneDNN's include/ and lib/, or None where the build has none of its own."""
    try:
        files = importlib.metadata.files("onednn-devel-cpu-gomp") or []
    except importlib.metadata.PackageNotFoundError:
        return None
    for file in files:
        if file.as_posix().endswith("include/oneapi/dnnl/dnnl.hpp"):
            return Path(file.locate()).resolve().parents[3]
    return None
