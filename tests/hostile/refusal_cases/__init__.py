"""The cases, a module for each kind of attack, in the order in which they are tried."""

from refusal_cases import (arithmetic, caches, element_types, endless_nodes, functions, learned, lists, lookups, loops, many_nodes, nothing, searches, shapes, sizes, text,
                   windows)
from refusal_cases.building import CASES

GROUPS = (sizes, lookups, windows, arithmetic, learned, searches, caches, element_types,
          nothing, loops, endless_nodes, text, lists, shapes, functions, many_nodes)


def all_cases():
    if not CASES:
        for group in GROUPS:
            group.add()
    return CASES
