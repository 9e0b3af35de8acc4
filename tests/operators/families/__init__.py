"""Generators, one module a family of operators; importing them registers all."""

from importlib import import_module
from pathlib import Path

for module in sorted(Path(__file__).parent.glob("*.py")):
    if module.stem != "__init__":
        import_module(f"families.{module.stem}")
