"""Operators of onnx.reference that do not do what the standard says, done right: its evaluator takes these in their place."""

import numpy as np
from onnx.reference.op_run import OpRun
from onnx.reference.ops import op_loop


class SequenceInsert(OpRun):
    """The reference inserts at the front, whatever the position."""

    op_domain = ""

    def _run(self, sequence, tensor, position=None):
        result = list(sequence)
        result.insert(len(result) if position is None else int(position), tensor)
        return (result,)


class Optional(OpRun):
    """The reference makes a sequence of one of what is there."""

    op_domain = ""

    def _run(self, value=None, type=None):
        return (value,)


class OptionalGetElement(OpRun):
    op_domain = ""

    def _run(self, value):
        return (value,)


class OptionalHasElement(OpRun):
    op_domain = ""

    def _run(self, value=None):
        return (np.array(value is not None),)


class Loop(op_loop.Loop):
    """The reference does not start without a condition, and joins what is collected along the first axis instead of a new one."""

    op_domain = ""

    def _run(self, trips, condition, *states, context=None, body=None, attributes=None, bindings=None):
        names = self.body.input_names
        collected = [[] for _ in range(self.K)]
        for i in range(int(trips)):
            if condition is not None and not condition:
                break
            feeds = {**(context or {}), names[0]: np.array(i, np.int64), names[1]: np.array(True), **dict(zip(names[2:], states))}
            again, *results = self._run_body(feeds, attributes=attributes, bindings=bindings)
            condition = again if condition is not None else None
            states = results[:self.N]
            for rows, row in zip(collected, results[self.N:]):
                rows.append(row)
        return (*states, *map(np.stack, collected))


CORRECTED = [SequenceInsert, Optional, OptionalGetElement, OptionalHasElement, Loop]
