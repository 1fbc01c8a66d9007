"""Chain ids are what image-spec's config.md says, and what detection needs of them: a prefix's id is its own."""

import hashlib
from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from functions_app.domain.images.manifests import chain_ids

digests = st.binary(max_size=3).map(lambda data: "sha256:" + hashlib.sha256(data).hexdigest())
stacks = st.lists(digests, max_size=12)


def by_the_book(layers: Sequence[str]) -> str:
    """ChainID(L0) = DiffID(L0); ChainID(L0|...|Ln) = Digest(ChainID(L0|...|Ln-1) + " " + DiffID(Ln))."""
    *below, top = layers
    if not below:
        return top
    return "sha256:" + hashlib.new("sha256", b"%s %s" % (by_the_book(below).encode(), top.encode())).hexdigest()


@given(stacks)
def test_each_chain_id_is_the_specifications(layers: list[str]) -> None:
    assert chain_ids(layers) == tuple(by_the_book(layers[:count]) for count in range(1, len(layers) + 1))


def test_two_layers_as_coreutils_reckon_them() -> None:
    # printf '%s %s' sha256:aaa... sha256:bbb... | sha256sum
    bottom, top = "sha256:" + "a" * 64, "sha256:" + "b" * 64

    assert chain_ids([bottom, top])[1] == "sha256:ccd722928bd92476ba1745586fed6e45a102504185ad88cd89e01ff116fd146c"


@given(stacks, st.integers(0, 12))
def test_the_chain_of_a_prefix_is_the_prefix_of_the_chain(layers: list[str], count: int) -> None:
    assert chain_ids(layers[:count]) == chain_ids(layers)[:count]


@given(st.lists(digests, min_size=1, max_size=6), st.lists(digests, min_size=1, max_size=6))
def test_top_chain_ids_are_equal_only_for_equal_layers(one: list[str], other: list[str]) -> None:
    assert (chain_ids(one)[-1] == chain_ids(other)[-1]) == (one == other)


@given(st.lists(digests, min_size=2, max_size=6, unique=True))
def test_order_counts(layers: list[str]) -> None:
    turned = layers[::-1]

    assert chain_ids(turned)[-1] != chain_ids(layers)[-1]


@given(st.lists(digests, min_size=1, max_size=6))
def test_a_layer_twice_makes_another_chain(layers: list[str]) -> None:
    assert chain_ids([*layers, layers[-1]])[-1] != chain_ids(layers)[-1]
