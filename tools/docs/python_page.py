"""A Markdown page from the docstrings of the Python package, read from its sources: nothing is imported."""

import ast
import re
import textwrap
from pathlib import Path

from headers import escape

SECTIONS = ("Args", "Returns", "Raises", "Attributes", "Yields")
INTRO = """# The Python package

Every public name of `onnxrun`, from its docstrings; [onnxrun from Python](../python.md) is the guide, with examples. `onnxrun.onnxruntime` has ONNX Runtime's names, which
[migrating from ONNX Runtime](../migrating-from-onnxruntime.md) lists.

"""


def page(package):
    """The page of a package's folder: the classes and functions that its `__all__` names, in that order."""
    found = {}
    for path in [package / "_native.pyi", *sorted(package.glob("*.py"))]:
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, (ast.ClassDef, ast.FunctionDef)) and not node.name.startswith("_"):
                found[node.name] = node
    names = [name for name in public(package / "__init__.py") if not name.startswith("__")]
    missing = [name for name in names if name not in found]
    if missing:
        raise ValueError(f"no class or function in {package}: {', '.join(missing)}")
    errors = {name for name in names if is_error(found, name)}
    order = sorted(names, key=lambda name: (name in errors, isinstance(found[name], ast.FunctionDef), name))
    out = [INTRO]
    for name in order:
        out.append(f"## `{name}`\n\n" + (of_class(found[name]) if isinstance(found[name], ast.ClassDef) else of_function(found[name])))
    return "\n".join(out)


def public(path):
    """What `__all__` of a file names."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__":
            return ast.literal_eval(node.value)
    raise ValueError(f"{path} has no __all__")


def is_error(found, name):
    node = found.get(name)
    return isinstance(node, ast.ClassDef) and any(base.id == "Exception" or is_error(found, base.id) for base in node.bases if isinstance(base, ast.Name))


def of_class(node):
    constructor = next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)
    bases = [ast.unparse(base) for base in node.bases]
    out = code(signature(constructor, node.name) if constructor and "Exception" not in bases else f"class {node.name}" + (f"({', '.join(bases)})" if bases else ""))
    out += prose(ast.get_docstring(node))
    fields = [item for item in node.body if isinstance(item, ast.AnnAssign) and not item.target.id.startswith("_")]
    if fields:
        out += "| field | |\n|---|---|\n"
        for field in fields:
            after = node.body[node.body.index(field) + 1:][:1]
            text = after[0].value.value if after and isinstance(after[0], ast.Expr) and isinstance(after[0].value, ast.Constant) else ""
            out += f"| `{field.target.id}: {ast.unparse(field.annotation).replace('|', chr(92) + '|')}` | {inline(text).replace('|', chr(92) + '|')} |\n"
        out += "\n"
    for item in node.body:
        if isinstance(item, (ast.FunctionDef, ast.AsyncFunctionDef)) and (not item.name.startswith("_") or (item.name == "__call__")):
            decorators = {ast.unparse(decorator) for decorator in item.decorator_list}
            if "overload" in decorators:
                continue
            name = f"{node.name}.{item.name}"
            out += f"### `{name}`\n\n"
            out += code(f"{name}: {ast.unparse(item.returns)}" if decorators & {"property", "cached_property"} and item.returns else signature(item, name))
            out += prose(ast.get_docstring(item))
    return out


def of_function(node):
    return code(signature(node, node.name)) + prose(ast.get_docstring(node))


def signature(node, name):
    """As it is called, without `self`."""
    arguments = ast.parse(ast.unparse(node.args).join(["def f(", "): pass"])).body[0].args
    if arguments.args and arguments.args[0].arg in ("self", "cls"):
        arguments.args.pop(0)
    if arguments.posonlyargs and arguments.posonlyargs[0].arg in ("self", "cls"):
        arguments.posonlyargs.pop(0)
    back = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    text = f"{'async ' if isinstance(node, ast.AsyncFunctionDef) else ''}{name}({ast.unparse(arguments)}){back}"
    whole = re.sub(r"(?<!,) ", "\0", text)  # broken behind commas only
    return "\n    ".join(textwrap.wrap(whole, 136, break_on_hyphens=False)).replace("\0", " ")


def code(text):
    return f"```python\n{text}\n```\n\n"


def inline(text):
    return escape(" ".join(text.split()).replace("``", "`"))


def prose(docstring):
    """Paragraphs, and the sections of arguments, results and exceptions as lists."""
    out = ""
    for part in re.split(r"\n\s*\n", docstring or ""):
        title, _, rest = part.partition("\n")
        if title.rstrip(":") in SECTIONS and title.endswith(":") and rest:
            out += f"**{title.rstrip(':')}**\n\n{entries(textwrap.dedent(rest))}\n"
        elif part.startswith("    "):
            out += code(textwrap.dedent(part))
        elif part:
            out += inline(part) + "\n\n"
    return out


def entries(text):
    out = ""
    for line in re.sub(r"\n {2,}", " ", text).split("\n"):
        found = re.match(r"([*\w]+(?:, [*\w]+)*): (.*)", line)
        names = ", ".join(f"`{name}`" for name in found[1].split(", ")) if found else ""
        out += f"- {names}: {inline(found[2])}\n" if found else f"- {inline(line)}\n"
    return out
