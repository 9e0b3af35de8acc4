#!/usr/bin/env python3
"""Installs a build, moves the tree, and builds and runs a user's programs against it: CMake shared and static, pkg-config, C89, and the same against the
archive that cpack makes.

    consumer_test.py --source DIR --binary DIR --cmake FILE --cxx FILE --cc FILE --nm FILE [unittest arguments]
"""

import argparse
import array
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

PROJECT = Path(__file__).resolve().parent / "project"
OPTIONS = None
ENVIRONMENT = {k: v for k, v in os.environ.items() if k not in ("LD_LIBRARY_PATH", "LIBRARY_PATH", "CPATH", "CMAKE_PREFIX_PATH", "PKG_CONFIG_PATH")}
# Its output is that of onnx-run where both agree this far.
TOLERANCE = 2e-6


def run(*command, **environment):
    done = subprocess.run([str(c) for c in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          timeout=600, env={**ENVIRONMENT, **environment})
    if done.returncode != 0:
        raise AssertionError(f"{' '.join(map(str, command))} ended with {done.returncode}\n{done.stdout}")
    return done.stdout


def shell(command, prefix, folder):
    """A line of the README with its prefix and its compiler replaced by ours."""
    line = command.replace("/tmp/onnxrun", str(prefix))
    assert line != command, f"no /tmp/onnxrun in: {command}"
    line = re.sub(r"^g\+\+", str(OPTIONS.cxx), line)
    done = subprocess.run(line, shell=True, cwd=folder, env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=600)
    assert done.returncode == 0, f"{line} ended with {done.returncode}\n{done.stdout}"


def read_npy(path):
    data = path.read_bytes()
    return list(array.array("f", data[10 + int.from_bytes(data[8:10], "little"):]))


class Installed(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.dir = Path(folder.name).resolve()
        first = cls.dir / "first"
        run(OPTIONS.cmake, "--install", OPTIONS.binary, "--prefix", first)
        cls.first = str(first)
        cls.prefix = cls.dir / "moved to"  # where nothing was installed to, with a space in it
        first.rename(cls.prefix)
        cls.lib = next(cls.prefix.glob("**/libonnxrun.so")).parent
        cls.model = OPTIONS.source / "examples/digits/digits.onnx"

        raw = cls.dir / "image.raw"
        raw.write_bytes(array.array("f", [i * 7 % 16 / 16 for i in range(64)]).tobytes())
        out = cls.dir / "out"
        run(cls.prefix / "bin/onnx-run", "run", cls.model, "--quiet", "--input", f"image={raw}", "--output-dir", out)
        cls.expected = read_npy(out / "probabilities.npy")
        assert len(cls.expected) == 10 and abs(sum(cls.expected) - 1) < 1e-5 and max(cls.expected) - min(cls.expected) > 0.1, cls.expected

    def check(self, program):
        found = [float(line) for line in run(program, self.model).split()]
        self.assertEqual(len(found), 10)
        for a, b in zip(found, self.expected):
            self.assertAlmostEqual(a, b, delta=TOLERANCE)

    def configure(self, build, prefix, *arguments):
        return run(OPTIONS.cmake, "-S", PROJECT, "-B", build, "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={prefix}",
                   f"-DCMAKE_CXX_COMPILER={OPTIONS.cxx}", f"-DCMAKE_C_COMPILER={OPTIONS.cc}", *arguments)

    def refused(self, prefix, components):
        """Why CMake does not find the components; without its line breaks."""
        with self.assertRaises(AssertionError) as caught:
            self.configure(self.dir / "refused", prefix, f"-DONNXRUN_CONSUMER_COMPONENTS={components}")
        shutil.rmtree(self.dir / "refused")
        return " ".join(str(caught.exception).split())

    def test_cmake_shared_static_and_c(self):
        build = self.dir / "build"
        self.configure(build, self.prefix)
        self.assertIn("cpu", run(OPTIONS.cmake, "--build", build))  # onnx-run, run by the build, lists the providers
        for name in ("shared_cpp", "static_cpp", "shared_c"):
            with self.subTest(name):
                self.check(build / name)
        needed = {name: re.findall(r"\[(libonnxrun[^\]]*)\]", run("readelf", "-d", build / name)) for name in ("shared_cpp", "static_cpp")}
        self.assertIn("libonnxrun.so.0", needed["shared_cpp"])
        self.assertNotIn("libonnxrun.so.0", needed["static_cpp"])

    def test_a_component_that_is_not_there_is_named(self):
        self.assertIn("component speed: there is no such component; there are: shared static tools", self.refused(self.prefix, "shared;speed"))
        part = self.dir / "part"
        for component in ("runtime", "dev"):
            run(OPTIONS.cmake, "--install", OPTIONS.binary, "--prefix", part, "--component", component)
        self.assertIn("component tools: onnx-run is not here", self.refused(part, "shared;tools"))
        self.configure(self.dir / "only shared", part, "-DONNXRUN_CONSUMER_COMPONENTS=shared")
        for file in part.glob("**/onnxrun-static*.cmake"):
            file.unlink()
        self.assertIn("component static: the static library is not here", self.refused(part, "static"))

    def test_libraries_that_the_static_one_needs_are_named(self):
        changed = self.dir / "changed"
        run(OPTIONS.cmake, "--install", OPTIONS.binary, "--prefix", changed, "--component", "dev")
        config = next(changed.glob("**/onnxrunConfig.cmake"))
        config.write_text(re.sub(r"(foreach\(_onnxrun_pair) .*\)", r"\1 nowhere:libnowhere-dev elsewhere:libelsewhere-dev)", config.read_text()))
        self.assertIn("component static: the static library needs libraries that are not here: apt-get install libnowhere-dev libelsewhere-dev",
                      self.refused(changed, "static"))
        self.assertIn("component shared: libonnxrun.so.", self.refused(changed, "shared"))  # is in the component runtime

    def test_operators_and_providers_of_ones_own(self):
        tool = self.prefix / "bin/onnx-run"
        model = OPTIONS.source / "examples/custom_operator/geglu.txt"
        libraries = {}
        for name in ("custom_operator", "custom_provider"):
            copy = self.dir / name  # nothing of our tree is beside it
            shutil.copytree(OPTIONS.source / "examples" / name, copy)
            run(OPTIONS.cmake, "-S", copy, "-B", copy / "build", "-G", "Ninja", f"-DCMAKE_PREFIX_PATH={self.prefix}",
                f"-DCMAKE_CXX_COMPILER={OPTIONS.cxx}")
            run(OPTIONS.cmake, "--build", copy / "build")
            libraries[name] = copy / "build" / f"{name}.so"
        report = run(tool, "inspect", model, "--explain", "--level", "0", "--op-library", libraries["custom_operator"],
                     "--provider-library", libraries["custom_provider"], "--provider", "fixed", "--provider", "cpu")
        self.assertRegex(report, r"MatMul.*fixed")
        self.assertRegex(report, r"GeGlu.*cpu")
        run(tool, "run", model, "--dim", "batch=2", "--op-library", libraries["custom_operator"])

    def test_go(self):
        go = shutil.which("go")
        if not go:
            self.skipTest("go is not installed")
        folder = self.dir / "go"
        shutil.copytree(OPTIONS.source / "examples/go", folder)
        plain = self.dir / "go_prefix"  # cgo splits its flags at spaces
        plain.symlink_to(self.prefix)
        lib = plain / self.lib.relative_to(self.prefix)
        done = subprocess.run([go, "build", "-o", "digits"], cwd=folder, capture_output=True, text=True, timeout=600, env={
            **ENVIRONMENT, "CGO_ENABLED": "1", "CC": str(OPTIONS.cc), "GOCACHE": str(self.dir / "go cache"), "GOFLAGS": "-mod=mod",
            "GOPROXY": "off", "CGO_CFLAGS": f"-I{plain}/include", "CGO_LDFLAGS": f"-L{lib} -Wl,-rpath,{lib}"})
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.check(folder / "digits")
        self.fails(folder / "digits")

    def test_rust(self):
        rustc = shutil.which("rustc")
        if not rustc:
            self.skipTest("rustc is not installed")
        program = self.dir / "digits_rust"
        run(rustc, "-O", "-L", self.lib, "-C", f"link-arg=-Wl,-rpath,{self.lib}", "-C", f"linker={OPTIONS.cc}",
            OPTIONS.source / "examples/rust/main.rs", "-o", program)
        self.check(program)
        self.fails(program)

    def fails(self, program):
        """The program names a model that is not there."""
        done = subprocess.run([program, "/nowhere.onnx"], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("/nowhere.onnx", done.stderr)

    def test_pkg_config_as_in_the_readme(self):
        readme = (OPTIONS.source / "README.md").read_text(encoding="utf-8")
        line = next(line for line in readme.splitlines() if line.startswith("g++ "))
        plain = self.dir / "pkg"  # the README's line has no quotes for paths with spaces
        plain.symlink_to(self.prefix)
        work = self.dir / "hello"
        work.mkdir()
        (work / "hello.cpp").write_text((PROJECT / "digits.cpp").read_text())
        shell(line, plain, work)
        self.check(work / "hello")

    def test_pkg_config_with_the_static_library(self):
        environment = {"PKG_CONFIG_PATH": str(self.lib / "pkgconfig")}
        flags = shlex.split(run("pkg-config", "--cflags", "--libs", "onnxrun-static", **environment))
        program = self.dir / "static_by_pkg_config"
        run(OPTIONS.cxx, "-std=c++20", PROJECT / "digits.cpp", "-o", program, *flags, f"-Wl,-rpath,{self.lib}")
        self.assertNotIn("libonnxrun.so", run("readelf", "-d", program))
        self.check(program)
        # What onnxrun.pc adds for a program without shared libraries is what the other file has for one with them.
        everything = run("pkg-config", "--static", "--libs", "onnxrun", **environment)
        self.assertEqual(everything.split("-lonnxrun ")[1].split(), run("pkg-config", "--libs", "onnxrun-static", **environment).split("-l:libonnxrun.a ")[1].split())
        self.assertIn("-pthread", everything)

    def test_archive(self):
        folder = self.dir / "archive"
        run(OPTIONS.cmake.parent / "cpack", "-G", "TGZ", "--config", OPTIONS.binary / "CPackConfig.cmake", "-B", folder)
        archive, = folder.glob("onnxrun-*.tar.gz")
        shutil.unpack_archive(archive, self.dir / "unpacked")
        prefix, = (self.dir / "unpacked").iterdir()
        self.assertEqual(sorted(entry.name for entry in prefix.iterdir()), ["bin", "include", "lib", "share"])
        run(prefix / "bin/onnx-run", "providers")
        self.configure(self.dir / "build of archive", prefix)
        run(OPTIONS.cmake, "--build", self.dir / "build of archive")
        for name in ("shared_cpp", "static_cpp", "shared_c"):
            self.check(self.dir / "build of archive" / name)

    def test_headers_stand_alone(self):
        for header in sorted((self.prefix / "include/onnxrun").iterdir()):
            with self.subTest(header.name):
                source = self.dir / ("alone.c" if header.suffix == ".h" else "alone.cpp")
                source.write_text(f"#include <onnxrun/{header.name}>\n#include <onnxrun/{header.name}>\nint main(void) {{ return 0; }}\n")
                compiler = [OPTIONS.cc, "-std=c89"] if header.suffix == ".h" else [OPTIONS.cxx, "-std=c++20"]
                run(*compiler, "-fsyntax-only", "-Wall", "-Wextra", "-pedantic-errors", "-Werror", "-I", self.prefix / "include", source)

    def test_only_our_symbols_leave_the_library(self):
        symbols = [line.split()[-1] for line in run(OPTIONS.nm, "-D", "--defined-only", self.lib / "libonnxrun.so").splitlines()]
        self.assertEqual(symbols, ["onnxrun_get_api"])

    def test_the_renamed_onednn_clashes_with_no_other(self):
        library = self.lib / "libonnxrun_dnnl.so.3"
        if (OPTIONS.binary / "lib" / library.name).exists():
            symbols = [line.split()[-1] for line in run(OPTIONS.nm, "-D", "--defined-only", library).splitlines()]
            self.assertGreater(len(symbols), 100)
            self.assertEqual([s for s in symbols if "dnnl" in s and not s.startswith("onnxrun_")], [])
            self.assertIn("libonnxrun_dnnl.so.3", run("readelf", "-d", self.lib / "libonnxrun.so"))
            self.assertTrue(list(self.prefix.glob("share/licenses/onnxrun/onednn/*")), "oneDNN without its licence")

    def test_no_absolute_path_is_inside(self):
        wanted = [str(OPTIONS.source).encode(), str(OPTIONS.binary).encode(), self.first.encode()]
        for file in sorted(self.prefix.rglob("*")):
            if file.is_symlink():
                self.assertFalse(os.path.isabs(os.readlink(file)), file)
            elif file.is_file():
                data = file.read_bytes()
                for path in wanted:
                    self.assertNotIn(path, data, f"{file.relative_to(self.prefix)} holds {path.decode()}")

    def test_licence_is_there(self):
        self.assertTrue((self.prefix / "share/licenses/onnxrun/LICENSE").exists())


def main():
    global OPTIONS
    parser = argparse.ArgumentParser()
    for name in ("source", "binary", "cmake", "cxx", "cc", "nm"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    OPTIONS, rest = parser.parse_known_args()
    unittest.main(argv=[sys.argv[0], *rest], verbosity=2)


if __name__ == "__main__":
    main()
