"""The known base releases in memory, indexed for detection: by chain id, digest, name and layer."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property

from functions_app.domain.bases.lineage import KnownRelease, Named, SharedLayers
from functions_app.domain.bases.stream_names import Followed, StreamNames, parse, without_architecture
from functions_app.domain.images.manifests import chain_ids

# The tar of nothing: WORKDIR makes one in any image, so that it is in everybody's.
EMPTY_LAYER = "sha256:5f70bf18a086007016e948b04aed3b82103a36bea41755b6cddfaf10ace3c6ef"


class KnownReleases:
    """Look-ups among releases (lineage.Releases). Indexes that few images need are made when first asked for."""

    def __init__(self, releases: Iterable[KnownRelease], followed: Mapping[str, Followed] | None = None) -> None:
        """`followed`: by stream's name what it follows."""
        self.releases = tuple(sorted(releases, key=lambda release: release.id))  # ties are decided alike each time
        self._followed = followed or {}
        chains = defaultdict(list)
        for release in self.releases:
            chains[release.chain_id].append(release)
        self._by_chain = {chain: tuple(found) for chain, found in chains.items()}

    @cached_property
    def streams_watched(self) -> int:
        """How many streams have been read at least once."""
        return len({release.stream for release in self.releases})

    def by_chain(self, chains: Sequence[str]) -> Mapping[str, tuple[KnownRelease, ...]]:
        """The releases, for any platform, whose top chain id is one of these."""
        return {chain: found for chain in chains if (found := self._by_chain.get(chain))}

    def by_digest(self, digest: str) -> tuple[KnownRelease, ...]:
        """The releases whose manifest or index has this digest."""
        return self._by_digest.get(digest, ())

    def by_reference(self, name: str) -> Named:
        """The stream or release that people call HOST/REPOSITORY:TAG; on Docker Hub the host may be left out."""
        ref = parse(name)
        if ref is None:
            return Named()
        found = self._names.find(name)
        if found and not found.tag:
            return Named(found.stream)
        if releases := self._by_tag.get((ref.name, without_architecture(ref.tag or "latest"))):
            return Named(releases[0].stream, releases)
        return Named(found.stream, tag=found.tag) if found else Named()

    def sharing(self, diff_ids: Sequence[str], platform: str) -> Mapping[str, SharedLayers]:
        """By stream: which of these layers its releases for the platform have."""
        layers, own = defaultdict(set), defaultdict(set)
        for diff_id in set(diff_ids) - {EMPTY_LAYER}:
            for stream in self._owners.get((platform, diff_id), ()):
                layers[stream].add(diff_id)
            bringers = self._bringers.get((platform, diff_id), set())
            if len(bringers) == 1:
                own[next(iter(bringers))].add(diff_id)
        return {stream: SharedLayers(frozenset(layers[stream]), frozenset(own[stream])) for stream in layers}

    @cached_property
    def _by_digest(self) -> dict[str, tuple[KnownRelease, ...]]:
        digests = defaultdict(list)
        for release in self.releases:
            for digest in {release.manifest_digest, release.index_digest} - {""}:
                digests[digest].append(release)
        return {digest: tuple(found) for digest, found in digests.items()}

    @cached_property
    def _by_tag(self) -> dict[tuple[str, str], tuple[KnownRelease, ...]]:
        refs = {stream: parse(followed.reference) for stream, followed in self._followed.items()}
        tags = defaultdict(list)
        for release in self.releases:
            if release.tag and (ref := refs.get(release.stream)):
                tags[ref.name, release.tag].append(release)
        return {tag: tuple(found) for tag, found in tags.items()}

    @cached_property
    def _names(self) -> StreamNames:
        return StreamNames(self._followed)

    @cached_property
    def _owners(self) -> dict[tuple[str, str], set[str]]:
        owners = defaultdict(set)
        for release in self.releases:
            for diff_id in release.diff_ids:
                owners[release.platform, diff_id].add(release.stream)
        return owners

    @cached_property
    def _bringers(self) -> dict[tuple[str, str], set[str]]:
        """By layer the streams that brought it in: a release inherits what is beneath it from another stream's."""
        bringers = defaultdict(set)
        for release in self.releases:
            for diff_id in release.diff_ids[self._inherited(release) :]:
                bringers[release.platform, diff_id].add(release.stream)
        return bringers

    def _inherited(self, release: KnownRelease) -> int:
        """How many of a release's lowest layers are a whole release of another stream: of a company's copy all."""
        chains = chain_ids(release.diff_ids)
        for count in range(len(chains), 0, -1):
            beneath = [
                each
                for each in self._by_chain.get(chains[count - 1], ())
                if each.platform == release.platform and each.stream != release.stream
            ]
            copied = release.own and any(not each.own for each in beneath)
            if beneath and (count < len(chains) or copied):
                return count
        return 0
