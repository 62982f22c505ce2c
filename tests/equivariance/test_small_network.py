"""The variants differ in one thing each, and share every weight."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from siamfc.equivariance.scorers import small_scorer
from siamfc.equivariance.small_network import EXEMPLAR_PX, SEARCH_PX, SmallNetwork, Variant


@pytest.fixture(scope="module")
def network() -> SmallNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return SmallNetwork()


@pytest.fixture(scope="module")
def images() -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(0)
    canvas = torch.rand(3, SEARCH_PX, SEARCH_PX, generator=rng, dtype=torch.float64) * 255
    return canvas[:, 32 : 32 + EXEMPLAR_PX, 32 : 32 + EXEMPLAR_PX], canvas


def test_it_has_the_size_it_says(network: SmallNetwork) -> None:
    assert 20_500 < sum(parameter.numel() for parameter in network.parameters()) < 21_500
    for side, cells in ((EXEMPLAR_PX, 9), (SEARCH_PX, 25), (31, 1)):
        assert network.embed(torch.zeros(1, 3, side, side), Variant()).shape == (1, 32, cells, cells)


@pytest.mark.parametrize("variant", [Variant(), Variant("average"), Variant("none"), Variant(padded=True)], ids=str)
def test_strided_variants_have_the_papers_map(
    network: SmallNetwork, images: tuple[Tensor, Tensor], variant: Variant
) -> None:
    assert small_scorer("x", network, variant).score_map(*images).shape == (17, 17)


def test_without_strides_every_fourth_score_is_the_trained_networks(
    network: SmallNetwork, images: tuple[Tensor, Tensor]
) -> None:
    exemplar, search = images[0], images[1][:, :67, :71]
    dense = small_scorer("dense", network, Variant(strided=False)).score_map(exemplar, search)
    trained = small_scorer("trained", network, Variant()).score_map(exemplar, search)
    assert dense.shape == (5, 9)
    torch.testing.assert_close(dense[::4, ::4], trained, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("pooling", ["average", "none"])
def test_another_pooling_is_another_network(network: SmallNetwork, images: tuple[Tensor, Tensor], pooling: str) -> None:
    other = small_scorer("x", network, Variant(pooling)).score_map(*images)
    assert float((other - small_scorer("y", network, Variant()).score_map(*images)).abs().max()) > 1e-3


def test_poolings_agree_where_a_map_is_one_value(network: SmallNetwork) -> None:
    flat = torch.full((1, 3, 63, 63), 200.0)
    kinds = [network.embed(flat, Variant(pooling)) for pooling in ("max", "average", "none")]
    for other in kinds[1:]:
        torch.testing.assert_close(kinds[0], other, rtol=1e-5, atol=1e-5)


def test_scores_of_a_batch_are_those_of_its_pairs(network: SmallNetwork, images: tuple[Tensor, Tensor]) -> None:
    z, x = (network.embed(image[None].float(), Variant()) for image in images)
    both = network.score(torch.cat([z, z * 2]), torch.cat([x, x]))
    torch.testing.assert_close(both[0], network.score(z, x)[0], rtol=1e-4, atol=1e-4)
