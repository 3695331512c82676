"""Solutions by SciPy for theory: right where there are some, an error where there are none."""

from __future__ import annotations

import numpy as np
import pytest

from brnn.base.odes import solved
from brnn.errors import IntegrationError


@pytest.mark.parametrize("method", ["LSODA", "DOP853"])
def test_a_solution(method: str) -> None:
    found = solved(lambda t, u: -u * np.array([1.0, 50.0]), (0.0, 1.0), [1.0, 2.0], method, rtol=1e-10, atol=1e-12)
    np.testing.assert_allclose(found.y[:, -1], [np.exp(-1.0), 2.0 * np.exp(-50.0)], atol=1e-9)


@pytest.mark.parametrize("method", ["LSODA", "DOP853"])
@pytest.mark.filterwarnings("ignore")
def test_what_is_not_a_number_is_no_success(method: str) -> None:
    with pytest.raises(IntegrationError, match="could not be integrated from 0 to 2"):
        solved(lambda t, u: u * (np.nan if t > 0.5 else 1.0), (0.0, 2.0), [1.0], method)
