"""ai.onnx.ml: the single nodes of tests/ops/ml, against NumPy where a case has its own results, else ONNX Runtime."""

import sys
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
from cases import Case, operator
from onnx import defs, helper

sys.path.append(str(Path(__file__).resolve().parents[2] / "ops/ml"))

import elements  # noqa: E402
import models  # noqa: E402
import node_case  # noqa: E402
import trees  # noqa: E402

NAMES = {schema.name for schema in defs.get_all_schemas_with_history() if schema.domain == node_case.DOMAIN}
MADE = {}  # the cases of a seed by operator and version


def made(seed):
    if seed not in MADE:
        MADE[seed] = {}
        for part in (elements, models, trees):
            for case in part.cases(seed):
                version = defs.get_schema(case.op, case.version, node_case.DOMAIN).since_version
                # The cases share arrays that they change for the next.
                MADE[seed].setdefault((case.op, version), []).append(replace(case, inputs=deepcopy(case.inputs), expected=deepcopy(case.expected)))
    return MADE[seed]


def map_type(value):
    key, item = node_case.map_types(value)
    return helper.make_map_type_proto(key, helper.make_tensor_type_proto(item, []))


@operator(*sorted(NAMES), domain=node_case.DOMAIN)
def single_nodes(g):
    for case in made(g.seed).get((g.op, g.version), []):
        own = case.expected is not None
        yield Case([np.asarray(v) if not isinstance(v, dict) else v for v in case.inputs], case.attributes, len(case.outputs),
                   expect=lambda *_, case=case: list(case.expected if case.expected is not None else node_case.run_peer(case)),
                   rtol=case.rtol, atol=case.atol, types={i: map_type(v) for i, v in enumerate(case.inputs) if isinstance(v, dict)},
                   judge="NumPy" if own else "ONNX Runtime")
