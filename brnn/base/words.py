"""Values in words, for people: arrays and specifications in short."""

from __future__ import annotations

import hashlib
from typing import Any

__all__ = ["exact_in_words", "number_in_words", "pattern_in_words", "value_in_words"]

_SHOWN = 12  # cells that are written one by one
_ROUNDING = 1e-14  # of the largest element
_ROUNDED = 4  # digits that rounding made: so many more in a number than in the one that it was to be
_HASH = 8  # hexadecimal digits


def number_in_words(value: float) -> str:
    """Return a number with as many digits as it has, and no more: 1, 0.25, 1e-09, 0.3333333333333333.

    What only rounding adds to a shorter number is left out: 1 - 0.8 is 0.2.
    """
    short = f"{value:g}"
    if float(short) == value:
        return short
    exact, near = repr(float(value)), f"{value:.15g}"
    return near if len(near) + _ROUNDED <= len(exact) else exact


def value_in_words(value: Any) -> str:
    """Return a parameter's value as text: as it would be written in Python, arrays in short."""
    import numpy as np

    from brnn.base.data import Spec

    if value is None:
        return "none"
    if isinstance(value, np.ndarray) or (isinstance(value, tuple) and value and isinstance(value[0], tuple)):
        return pattern_in_words(value)
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, Spec):
        from brnn.base.plain import plain_spec

        return exact_in_words(plain_spec(value))
    return str(value)


def pattern_in_words(values: Any) -> str:
    """Return the first elements of an array, or all of a short one; what is rounding beside the largest is 0."""
    import numpy as np

    flat = np.asarray(values, dtype=np.float64).ravel()
    size = float(np.max(np.abs(flat[np.isfinite(flat)]), initial=0.0))
    flat = np.where(np.abs(flat) < _ROUNDING * size, 0.0, flat)
    shown = " ".join(f"{value + 0.0:.5g}" for value in flat[:_SHOWN])  # + 0.0: no "-0"
    return shown if flat.size <= _SHOWN else f"{shown} ... ({' x '.join(map(str, np.shape(values)))})"


def exact_in_words(value: Any) -> str:
    """Return a value so that another value gives another text: numbers with all digits, arrays with a hash.

    Parameters
    ----------
    value : object
        Numbers, texts, None, arrays, sparse matrices, PlainSpecs, and sequences and mappings of these.
    """
    import numpy as np

    from brnn.base.plain import PlainSpec

    if value is None:
        return "none"
    if isinstance(value, PlainSpec):
        texts = {name: _quoted(part) for name, part in value.fields.items()}
        if value.kind in ("Expression", "Function"):  # as it is written in Python
            given = [repr(value.get("text")), *(f"{name}={_quoted(x)}" for name, x in value.get("parameters"))]
        else:
            given = [f"{name}={text}" for name, text in texts.items()]
        return f"{value.kind}({', '.join(given)})"
    if isinstance(value, float):
        return number_in_words(value)
    if isinstance(value, np.ndarray):
        return _array(value) if value.ndim else exact_in_words(value.item())
    if hasattr(value, "tocsr"):
        return f"sparse {_shape(value.shape)}, {value.nnz} stored, {_range(value.data)}, {_hash_of_rows(value)}"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name}: {exact_in_words(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (tuple, list)):
        parts = [_quoted(item) for item in value]
        return "(" + ", ".join(parts) + ("," if len(parts) == 1 else "") + ")"
    return str(value)


def _quoted(value: Any) -> str:
    return repr(value) if isinstance(value, str) else exact_in_words(value)


def _array(value: Any) -> str:
    """Return the elements of a small array; shape, range and hash of a large one."""
    if value.size > _SHOWN:
        return f"[{_shape(value.shape)}, {_range(value)}, {_hash(value)}]"
    texts = [f"{element + 0.0:.5g}" for element in value.ravel()]
    rows = value.reshape(-1, value.shape[-1])
    width = rows.shape[1]
    shown = "; ".join(" ".join(texts[k : k + width]) for k in range(0, len(texts), width))
    layout = f" ({_shape(value.shape)})" if value.ndim > 2 else ""
    rounded = any(float(text) != element for text, element in zip(texts, value.ravel(), strict=True))
    return f"[{shown}{layout}{', ' + _hash(value) if rounded else ''}]"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) if len(shape) > 1 else f"{shape[0]} elements"


def _range(values: Any) -> str:
    if values.size == 0:
        return "none"
    low, high = float(values.min()), float(values.max())
    return f"all {low:.5g}" if low == high else f"{low:.5g} ... {high:.5g}"


def _hash(*arrays: Any) -> str:
    import numpy as np

    total = hashlib.sha256()
    for array in arrays:
        total.update(np.ascontiguousarray(array).tobytes())
    return f"#{total.hexdigest()[:_HASH]}"


def _hash_of_rows(csr: Any) -> str:
    return _hash(csr.data, csr.indices.astype("<i8"), csr.indptr.astype("<i8"))
