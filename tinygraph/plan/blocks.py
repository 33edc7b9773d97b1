"""Which elementwise steps on large arrays are joined to chains that run block by block.

The sum or mean of all numbers of a result joins its chain.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..core.storage import Array
from ..core.sums import adds_in_pieces
from ..ops.threads import threads_now
from .block import BLOCK, Block, is_single
from .values import Step, Value

LEAST = BLOCK + 1
"""Elements that a chain must have for blocks to pay."""

WORTH = 2**21
"""Numbers that a chain must compute to be shared by threads: it takes ten times as long as they
take to meet."""

PRODUCTS = ("matmul", "window")
"""Kinds of ops that BLAS works for, with threads of its own."""


def join_elementwise(steps: Sequence[Step], outputs: Sequence[Value]) -> list[Step]:
    """Join neighbours that work element by element on arrays that lie alike in memory.

    Steps without effects in between move before or behind the chain.
    """
    done: list[Step] = []
    chain: list[Step] = []
    behind: list[Step] = []
    made_in_chain: set[Value] = set()
    made_behind: set[Value] = set()

    def flush() -> None:
        totals = [step for step in behind if _is_total(step, made_in_chain)]
        if len(chain) + len(totals) > 1:
            done.append(_joined(chain, totals, steps, outputs))
        else:
            done.extend(chain)
        done.extend(step for step in behind if not chain or step not in totals)
        for group in (chain, behind, made_in_chain, made_behind):
            group.clear()

    for step in steps:
        owners = {v.owner for v in step.values()} | set(step.values())
        if step.effect:
            flush()
            done.append(step)
        elif _is_long(step) and not owners & made_behind and _agrees(step, chain):
            chain.append(step)
            made_in_chain.update(step.outs)
        elif not owners & (made_in_chain | made_behind) and not _is_long(step):
            done.append(step)
        elif _is_long(step):
            flush()
            chain.append(step)
            made_in_chain.update(step.outs)
        else:
            behind.append(step)
            made_behind.update(step.outs)
    flush()
    return done


def _is_long(step: Step) -> bool:
    if step.op is None or step.op.kind not in ("elementwise", "cast") or len(step.outs) != 1:
        return False
    out = step.outs[0]
    large = out.array.size >= LEAST and out.owner is out and _has_no_gaps(out.array)
    return large and all(
        is_single(v.array) or _lie_alike(v.array, out.array) for v in step.values()
    )


def _has_no_gaps(array: Array) -> bool:
    """Tell whether an array fills its memory, in whatever order of its axes."""
    order = sorted(range(array.ndim), key=lambda a: -array.strides[a])
    return bool(array.transpose(order).flags.c_contiguous)


def _lie_alike(a: Array, b: Array) -> bool:
    """Tell whether elements of equal index lie at equal places in memory."""
    return a.shape == b.shape and [s // a.itemsize for s in a.strides] == [
        s // b.itemsize for s in b.strides
    ]


def _agrees(step: Step, chain: Sequence[Step]) -> bool:
    return not chain or _lie_alike(chain[0].outs[0].array, step.outs[0].array)


def _is_total(step: Step, made: set[Value]) -> bool:
    """Tell whether a step adds all numbers of one of the values, piece by piece."""
    if step.op is None or step.op.name not in ("sum", "mean") or step.inputs[0] not in made:
        return False
    x, out = step.inputs[0].array, step.outs[0]
    return adds_in_pieces(x, step.attrs["axis"]) and out.array.dtype == x.dtype


def _joined(
    chain: Sequence[Step], totals: Sequence[Step], steps: Sequence[Step], outputs: Sequence[Value]
) -> Step:
    inner = (*chain, *totals)
    inside = set(map(id, inner))
    made = [step.outs[0] for step in chain]
    read: set[Value] = {w for v in outputs for w in (v, v.owner)}
    for step in steps:
        if id(step) not in inside:
            read |= {w for v in step.values() for w in (v, v.owner)}
    outs = tuple(v for v in made if v in read or v.bound is not None)
    inputs = tuple(dict.fromkeys(v for step in chain for v in step.values() if v not in set(made)))
    block = Block(chain, totals, inputs, outs, _threads(chain, steps))
    names = ", ".join(step.name for step in inner[:3]) + (", …" if len(inner) > 3 else "")
    name = f"block of {len(inner)}" + (f" on {block.threads} threads" if block.threads > 1 else "")
    return Step(
        block, inputs, (*outs, *(step.outs[0] for step in totals)), name=f"{name}: {names}",
        inner=inner,
    )  # fmt: skip


def _threads(chain: Sequence[Step], steps: Sequence[Step]) -> int:
    """Return how many threads are to share a chain.

    Ops of users need not bear more than one. The threads of BLAS wait for the next product without
    going to sleep, for so long that they would be in the way of others.
    """
    ours = all(step.op is not None and step.op.module.startswith("tinygraph.") for step in chain)
    products = any(step.op is not None and step.op.kind in PRODUCTS for step in steps)
    work = len(chain) * chain[0].outs[0].array.size
    return threads_now() if ours and not products and work >= WORTH else 1
