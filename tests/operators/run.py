#!/usr/bin/env python3
"""Compares every operator at every version with independent results, on models made at random.

    run.py [--library FILE] [--all] [--seeds N] [--filter REGEX] [--level N] [--provider NAME --provider-library FILE[,OPTION=VALUE]...]
           [--write-docs] [--verbose]

For each (operator, version) pair of ai.onnx, ai.onnx.ml and the preview domains the generators in families/ yield models of one node at an opset where that version holds, over the element
types that the version's schema allows, shapes, optional inputs and attributes. What the library computes is held against NumPy (the generator's
own formula), else against onnx.reference and, where that lacks the version or the type, ONNX Runtime. known.py lists, with the reason, where the
references disagree with the standard. Without --all a sample of the cases runs. With a provider the models run on it alone; what it refuses is
counted, and neither judged nor a failure.

Last line: counts. Exit code 0 when all agree, every pair has a case and docs/operators.md says of each what its generators make now, 1 otherwise,
2 when it could not run."""

import argparse
import re
import sys
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from onnx import defs

sys.path.insert(0, str(Path(__file__).parent))

import families  # noqa: E402, F401
import known  # noqa: E402
import table  # noqa: E402
from cases import GENERATORS, NEWEST, Gen, build, is_float  # noqa: E402
from judge import by_onnxruntime, by_reference, judge  # noqa: E402
from native import Library, RunError  # noqa: E402

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs/operators.md"
SAMPLE = 6  # cases of a pair that run without --all


def all_pairs():
    """(domain, operator, version) of every operator of ONNX's domains, and the opsets at which each version holds."""
    versions, newest = defaultdict(set), Counter({"": NEWEST})
    for schema in defs.get_all_schemas_with_history():
        versions[schema.domain, schema.name].add(schema.since_version)
        if schema.domain:
            newest[schema.domain] = max(newest[schema.domain], schema.since_version)
    pairs = []
    for (domain, name), found in sorted(versions.items()):
        ends = [*sorted(found)[1:], newest[domain] + 1]
        pairs += [(domain, name, version, range(version, end)) for version, end in zip(sorted(found), ends)]
    return pairs


class Tally:
    def __init__(self):
        self.judges = Counter()  # who judged
        self.types = set()  # of the inputs of all cases that there are, run or not
        self.made = 0  # cases that one seed gives
        self.failures = []
        self.disputed = []

    @property
    def cases(self):
        return sum(self.judges.values())


def run_case(library, gen, case, opsets, settings, tally):
    opset = opsets[0] if gen.rng.random() < 0.7 else int(gen.rng.choice(opsets))
    variant = np.random.default_rng(int(gen.rng.integers(2**31)))
    model, feeds = build(gen, case, opset, variant)
    data = model.SerializeToString()
    kinds = {port.name: port.type.sequence_type.elem_type.tensor_type.elem_type for port in model.graph.input if port.type.HasField("sequence_type")}
    try:
        got = library.run(data, feeds, settings, kinds)
    except RunError as error:
        if library.plugin and "no provider runs" in str(error):
            tally.judges["not on the provider"] += 1
            return
        if case.refused and case.refused in str(error):
            tally.judges["refused as it must be"] += 1
            return
        tally.judges["failed"] += 1
        tally.failures.append((f"error: {error}", model, feeds, case))
        return
    if case.refused:
        problem, who = f"ran, where an error must say: {case.refused}", ""
    elif case.check is not None:
        problem, who = case.check(got), "distribution"
    elif case.expect is not None:
        try:
            problem, who = judge(got, case.expect(*case.inputs), case), case.judge
        except Exception as error:
            problem = f"the test's own formula fails: {type(error).__name__}: {error}"
    else:
        problem, lacking = by_reference(got, *((model, feeds) if case.twin is None else build_twin(gen, case, variant)), case)
        who = "onnx.reference"
        if problem or lacking:
            peer, unable = by_onnxruntime(got, model, feeds, case, opsets[0])
            if lacking:
                problem, who = (f"no reference runs it: {lacking}; {unable}" if unable else peer), "ONNX Runtime"
            elif not unable and peer is None:
                who = "ONNX Runtime"
                tally.disputed.append(problem)
                problem = None if known.disputed(gen) else f"ONNX Runtime agrees, onnx.reference does not: {problem}"
    if problem:
        tally.judges["failed"] += 1
        tally.failures.append((problem, model, feeds, case))
    else:
        tally.judges[who] += 1
        if case.outputs > 1 and case.check is None:
            without_some_outputs(library, gen, case, (model, feeds, settings, kinds), got, tally)


def without_some_outputs(library, gen, case, run, got, tally):
    """The same node with all outputs but some left out gives the same where they are left."""
    model, feeds, settings, kinds = run
    kept = sorted(gen.rng.choice(case.outputs, int(gen.rng.integers(1, case.outputs)), replace=False))
    fewer = onnx.ModelProto()
    fewer.CopyFrom(model)
    outputs = fewer.graph.node[0].output
    for i in range(case.outputs):
        if i not in kept:
            outputs[i] = ""
    ports = [fewer.graph.output[i] for i in kept]
    del fewer.graph.output[:]
    fewer.graph.output.extend(ports)
    try:
        again = library.run(fewer.SerializeToString(), feeds, settings, kinds)
    except RunError as error:
        tally.failures.append((f"without some outputs, error: {error}", fewer, feeds, case))
        return
    for i, value in zip(kept, again):
        if i not in case.ignore and not same(value, got[i]):
            tally.failures.append((f"without some outputs, output {i} differs", fewer, feeds, case))


def same(a, b):
    """Equal but for rounding: another kernel may compute it."""
    if not isinstance(a, np.ndarray) or not isinstance(b, np.ndarray) or a.dtype != b.dtype or a.shape != b.shape or not is_float(a.dtype):
        return repr(a) == repr(b)
    x, y = a.astype(np.float64), b.astype(np.float64)
    with np.errstate(invalid="ignore"):
        return bool(np.allclose(x, y, rtol=1e-2 if a.dtype.itemsize < 4 else 1e-4, atol=1e-4, equal_nan=True))


def type_names(case):
    """The element types of the inputs, "map" for maps."""
    for value in case.inputs:
        for part in value if isinstance(value, list) else [value]:
            if part is not None:
                dtype = None if isinstance(part, dict) else np.asarray(part).dtype
                yield "map" if dtype is None else "string" if dtype.kind in "OUS" else str(dtype)


def build_twin(gen, case, variant):
    """The same computation at a version that onnx.reference has."""
    version, attributes, *inputs = case.twin
    newer = Gen(gen.op, version, gen.domain)
    return build(newer, replace(case, attributes=attributes, inputs=inputs[0] if inputs else case.inputs), version, variant)


def run_pair(library, pair, options):
    domain, name, version, opsets = pair
    tally = Tally()
    generators = GENERATORS.get((domain, name), [])
    settings = {} if options.level is None else {"level": options.level}
    if options.provider:
        settings["providers"] = options.provider
    for seed in range(options.seeds):
        gen = Gen(name, version, domain, seed)
        cases = [case for generator in generators for case in generator(gen)]
        if seed == 0:
            tally.made = len(cases)
            tally.types = {name for case in cases for name in type_names(case)}
        if not options.all:
            cases = gen.some(cases, SAMPLE)
        for case in cases:
            run_case(library, gen, case, opsets, settings, tally)
    return tally


def describe(pair, failure):
    problem, model, feeds, case = failure
    inputs = ", ".join("absent" if v is None else "map" if isinstance(v, dict) else f"{np.asarray(v).dtype}{list(np.shape(v))}" if not isinstance(v, list) else f"sequence of {len(v)}"
                       for v in case.inputs)
    attributes = {k: v for k, v in case.attributes.items() if not hasattr(v, "SerializeToString")}
    return f"{pair[0]}{'.' if pair[0] else ''}{pair[1]}-{pair[2]} at opset {model.opset_import[0].version}: {inputs} {attributes}\n    {' '.join(problem.split())[:400]}"


def main():
    parser = argparse.ArgumentParser(description="Compare every operator at every version with independent results.")
    parser.add_argument("--library", type=Path, default=ROOT / "build/release/lib/libonnxrun.so")
    parser.add_argument("--all", action="store_true", help="every case instead of a sample")
    parser.add_argument("--seeds", type=int, default=1, metavar="N")
    parser.add_argument("--filter", default="", metavar="REGEX")
    parser.add_argument("--level", type=int, metavar="N")
    parser.add_argument("--provider", metavar="NAME")
    parser.add_argument("--provider-library", metavar="FILE[,OPTION=VALUE]...")
    parser.add_argument("--write-docs", action="store_true")
    parser.add_argument("--verbose", action="store_true", help="show every failure, and the time of each pair")
    options = parser.parse_args()
    try:
        library = Library(options.library)
        library.plugin = options.provider_library
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    pairs = [p for p in all_pairs() if re.search(options.filter, f"{p[1]}-{p[2]}")]
    total, uncovered, failed, disputed = Counter(), [], 0, 0
    tallies = {}
    for pair in pairs:
        start = time.monotonic()
        tally = tallies[pair] = run_pair(library, pair, options)
        total += tally.judges
        failed += len(tally.failures)
        disputed += len(tally.disputed)
        if tally.cases == 0 and pair[1] not in known.ELSEWHERE:
            uncovered.append(f"{pair[1]}-{pair[2]}")
        for failure in tally.failures if options.verbose else tally.failures[:2]:
            print(describe(pair, failure))
        if options.verbose:
            print(f"{pair[1]}-{pair[2]}: {dict(tally.judges)} {len(tally.disputed)} disputed, {time.monotonic() - start:.2f} s")
    if uncovered:
        print("no case:", " ".join(uncovered))
    if options.write_docs:
        table.write(DOCS, tallies)
    stale = [] if options.filter or options.provider else table.differences(DOCS, tallies)
    if stale:
        print(f"{DOCS.relative_to(ROOT)} is out of date ({', '.join(stale[:5])}{' ...' if len(stale) > 5 else ''}): write it anew with --all --write-docs")
    judges = ", ".join(f"{count} {who}" for who, count in sorted(total.items()))
    print(f"{len(pairs)} pairs, {sum(total.values())} cases ({judges}), {disputed} disputed, {failed} failed, {len(uncovered)} pairs without a case")
    return 1 if failed or uncovered or stale else 0


if __name__ == "__main__":
    sys.exit(main())
