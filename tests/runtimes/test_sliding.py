"""The product of matrices and its diagonal sums are the correlation."""

from __future__ import annotations

import pytest
import torch

from siamfc.correlation import cross_correlate
from siamfc.model import ExemplarKernel
from siamfc.runtimes.sliding import slide


@pytest.mark.parametrize(("exemplars", "searches"), [(1, 1), (1, 3), (4, 1), (3, 3)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_every_window_scores_as_in_the_definition(exemplars, searches, layout):
    generator = torch.Generator().manual_seed(0)
    weight = torch.rand(exemplars, 5, 3, 4, generator=generator, dtype=torch.float64)
    features = torch.rand(searches, 5, 9, 7, generator=generator, dtype=torch.float64).contiguous(memory_format=layout)
    offset = torch.rand(exemplars, generator=generator, dtype=torch.float64)
    expected = cross_correlate(weight, features) + offset[:, None, None]
    torch.testing.assert_close(slide(ExemplarKernel(weight, offset), features), expected)


@pytest.mark.parametrize("shape", [(2, 5, 9, 9), (3, 4, 9, 9), (3, 5, 2, 9)])
def test_what_does_not_fit_is_refused(shape):
    with pytest.raises(ValueError, match="cannot slide"):
        slide(ExemplarKernel(torch.zeros(3, 5, 3, 3), torch.zeros(3)), torch.zeros(shape))
