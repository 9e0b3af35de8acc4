"""MkDocs hooks: adds pages that are made while the site is built, and lets links lead to them where in the repository they lead to files.

The pages are those of the public headers (headers.py), that of the Python package (python_page.py) and the texts that lie in the root. Links in docs/ are relative to the repository, so that they work on a
plain page of it, too: one that leads nowhere there fails the build like one that leads nowhere in the site.
"""

import logging
import re
import sys
from pathlib import Path

from mkdocs.structure.files import File

sys.path.insert(0, str(Path(__file__).parent))
import headers  # noqa: E402
import python_page  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
TEXTS = ("SECURITY", "ARCHITECTURE", "CONTRIBUTING", "CHANGELOG")
LOG = logging.getLogger("mkdocs.hooks.site")
FENCED = re.compile(r"(^```.*?^```$)", re.M | re.S)
LINK = re.compile(r"(\]\()([^)#\s]+)((?:#[^)\s]*)?\))")


def page_of(path):
    """The page of the site that stands for a file of the repository outside of docs/, or none."""
    if path.startswith("include/onnxrun/"):
        return f"reference/{Path(path).name.replace('.', '_')}.md"
    if path == "python/onnxrun/__init__.py":
        return "reference/python.md"
    if path.removesuffix(".md") in TEXTS:
        return path.lower()
    return None


def on_files(files, config):
    for header in sorted((ROOT / "include/onnxrun").iterdir()):
        page = headers.page(f"onnxrun/{header.name}", header.read_text(encoding="utf-8"))
        files.append(File.generated(config, page_of(f"include/onnxrun/{header.name}"), content=page))
    files.append(File.generated(config, page_of("python/onnxrun/__init__.py"), content=python_page.page(ROOT / "python/onnxrun")))
    for name in TEXTS:
        files.append(File.generated(config, f"{name.lower()}.md", content=(ROOT / f"{name}.md").read_text(encoding="utf-8")))
    files.append(File.generated(config, "site.css", content=(ROOT / "tools/docs/site.css").read_text(encoding="utf-8")))
    return files


def on_page_markdown(markdown, page, config, files):
    source = page.file.src_uri
    if source.startswith("reference/"):
        return markdown
    from_root = source.removesuffix(".md").upper() in TEXTS
    folder = ROOT if from_root else ROOT / "docs"

    def to_page(found):
        target = found[2]
        if "://" in target:
            return found[0]
        path = (folder / target).resolve()
        if not path.exists() or not path.is_relative_to(ROOT):
            LOG.warning("%s links to %s, which is not in the repository", source, target)
            return found[0]
        path = path.relative_to(ROOT).as_posix()
        return found[1] + (path.removeprefix("docs/") if path.startswith("docs/") else page_of(path) or target) + found[3]

    return "".join(part if i % 2 else LINK.sub(to_page, part) for i, part in enumerate(FENCED.split(markdown)))
