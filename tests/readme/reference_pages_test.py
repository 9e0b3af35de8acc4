"""The pages that tools/docs makes of the public headers and of the Python package: nothing public is missing, and nothing private is shown."""

import re
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tools/docs"))
import headers  # noqa: E402
import python_page  # noqa: E402

PUBLIC = sorted((ROOT / "include/onnxrun").iterdir())


def page(path):
    return headers.page(f"onnxrun/{path.name}", path.read_text(encoding="utf-8"))


def letters(text):
    return re.sub(r"[^a-z0-9]+", "", text.lower())


class Headers(unittest.TestCase):
    def test_every_name_is_there(self):
        for path in PUBLIC:
            text = re.sub(r"/\*.*?\*/|//[^\n]*", "", path.read_text(encoding="utf-8"), flags=re.S)
            names = set(re.findall(r"\(\*(\w+)\)\(", text)) if path.suffix == ".h" else set()
            names |= set(re.findall(r"^(?:class|struct|enum class|typedef enum|typedef struct) (?:\[\[\w+\]\] )?(\w+)", text, re.M))
            names |= set(re.findall(r"\b(ONNXRUN_\w+)\b(?! __)", text)) - {f"ONNXRUN_{path.stem.upper()}_H", "ONNXRUN_ONNXRUN_H", "ONNXRUN_EXPORT"} if path.suffix == ".h" else set()
            names -= set(re.findall(r"struct (\w+) : std::integral_constant|struct (dtype_of)", text)) | {"dtype_of"}
            made = page(path)
            self.assertEqual({name for name in names if not re.search(rf"\b{name}\b", made)}, set(), path.name)

    def test_every_comment_of_the_c_headers_is_there(self):
        for path in PUBLIC:
            if path.suffix != ".h":
                continue
            made = letters(page(path))
            for comment in re.findall(r"/\*(.*?)\*/", path.read_text(encoding="utf-8"), re.S):
                for line in comment.replace("&", "amp").replace("<", "lt").split("\n"):
                    if not re.fullmatch(r" ONNXRUN_\w+_H ", line):
                        self.assertTrue(letters(line) in made, f"{path.name}: {line}")

    def test_methods_and_what_is_private(self):
        made = page(ROOT / "include/onnxrun/session.hpp")
        self.assertIn("## `Session`", made)
        for method in ("Results run(const NamedValues& inputs, const RunOptions& options = {}) const;", "void trim();", "explicit Run(const Session& session);"):
            self.assertIn(method, made)
        for hidden in ("state_", "Pending", "call_tap", "detail::", "prepared"):
            self.assertNotIn(hidden, made)

    def test_a_small_header(self):
        text = """// What it is for, in `code`.
//
//   use(it);
//
// Keys:
//   first   what a < b says
//   seventy goes on
//           over two lines
#pragma once

namespace onnxrun {

// Twice x.
inline int twice(int x) { return 2 * x; }

// A box.
class Box {
 public:
  explicit Box(int x) : x_{x} {}  // of one thing
  // What is in it.
  int x() const { return x_; }
  int y() const;

 private:
  int x_;
};

enum class Kind {
  kOne = 1,  // the first
  kTwo = 2
};

}  // namespace onnxrun
"""
        self.assertEqual(headers.page("onnxrun/small.hpp", text), """# onnxrun/small.hpp

What it is for, in `code`.

```cpp
use(it);
```

Keys:

|   |   |
|---|---|
| `first` | what a &lt; b says |
| `seventy` | goes on over two lines |

## `twice`

Twice x.

```cpp
int twice(int x);
```

## `Box`

A box.

```cpp
explicit Box(int x);  // of one thing
```

What is in it.

```cpp
int x() const;
```

```cpp
int y() const;
```

## `Kind`

| value | meaning |
|---|---|
| `kOne = 1` | the first |
| `kTwo = 2` |   |

""")


class Python(unittest.TestCase):
    def test_the_package(self):
        made = python_page.page(ROOT / "python/onnxrun")
        for name in python_page.public(ROOT / "python/onnxrun/__init__.py"):
            if name != "__version__":
                self.assertIn(f"\n## `{name}`\n", made)
        self.assertIn("### `Session.run`\n\n```python\nSession.run(inputs, outputs=None, *, into=None, timeout=None, cancel=None, as_values=False)\n```\n\nComputes outputs.\n", made)
        self.assertIn("- `timeout`: seconds that the run may take.\n", made)
        self.assertIn("Session.inputs: list[Port]", made)
        self.assertNotIn("._", made)
        self.assertNotIn("``x", made)


if __name__ == "__main__":
    unittest.main()
