"""Fit the Chebyshev tables of tinygraph/ops/_erf_tables.py (needs mpmath).

erf on [−1, 1] is x times a series in 2x² − 1; erfc on [0, ∞) is exp(−x²)/(1 + 2x) times a
series in (x − 3.75)/(x + 3.75), as in Shepherd and Laframboise (Math. Comp. 36, 1981).
"""

from __future__ import annotations

from pathlib import Path

import mpmath as mp

mp.mp.dps = 60
TARGET = Path(__file__).parent.parent / "tinygraph" / "ops" / "_erf_tables.py"


def chebyshev_coefficients(function, count: int, nodes: int = 160) -> list[float]:
    """Interpolate ``function`` on [−1, 1] at Chebyshev nodes."""
    angles = [mp.pi * (k + mp.mpf(1) / 2) / nodes for k in range(nodes)]
    values = [function(mp.cos(a)) for a in angles]
    result = []
    for j in range(count):
        total = mp.fsum(v * mp.cos(j * a) for v, a in zip(values, angles, strict=True))
        result.append(float(total * (1 if j == 0 else 2) / nodes))
    return result


def erf_center(t):
    x = mp.sqrt((t + 1) / 2)
    return 2 / mp.sqrt(mp.pi) if x == 0 else mp.erf(x) / x


def erfc_tail(t):
    x = mp.mpf("3.75") * (1 + t) / (1 - t)
    scaled = (
        mp.exp(x * x) * mp.erfc(x)
        if x < 200
        else 1 / (x * mp.sqrt(mp.pi)) * (1 - 1 / (2 * x**2) + 3 / (4 * x**4) - 15 / (8 * x**6))
    )
    return (1 + 2 * x) * scaled


def main() -> None:
    lines = ['"""Chebyshev tables for erf and erfc, made by tools/erf_tables.py."""', ""]
    for name, function, count in [("ERF_CENTER", erf_center, 18), ("ERFC_TAIL", erfc_tail, 40)]:
        coefficients = chebyshev_coefficients(function, count)
        while abs(coefficients[-1]) < 1e-18:
            coefficients.pop()
        lines += [f"{name} = (", *(f"    {c!r}," for c in coefficients), ")"]
    TARGET.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
