"""One application as each builder leaves it, made by hand from what these tools write into config and history.

Every kind is a function of the base: on the old base it gives what is to be rebased, on the new one what a true
rebuild would be. Each has its own way with history, settings, media types and annotations; the sources are named.
"""

from collections.abc import Callable, Mapping

from sandbox.images.elf import Elf, elf_bytes
from sandbox.images.making import (
    DOCKER_MANIFEST,
    OCI_INDEX,
    Blob,
    Executable,
    Flavour,
    Image,
    Index,
    SymlinkTo,
    canonical_json,
    make_layer,
)
from sandbox.images.native import LOADERS, libc, native
from tests.image_kinds.apps import BASE_DIGEST, BASE_NAME, CODE, attestation
from tests.image_kinds.assembly import BASE, REQUIREMENTS, Entry, built, entry, env_of, path_of, settings_of
from tests.image_kinds.recast import plain, recompressed, zstd

Builder = Callable[[Image], Image]
BUILDPACKS = "io.buildpacks.lifecycle.metadata"
NIX_GLIBC = "nix/store/p9kw0nv5zlj4c7s1b8x2f6hqgm3dyr0a-glibc-2.40-66"
NIX_HELLO = "nix/store/1rm6sq4n9ykb0vj7i5fcdwx2hz8gpl3a-hello-2.12.1"
NIX_LAYER = "nix/store/7c2v1lxb9hq0gd4s8n5wjkrfzyip6m3a-hello-customisation-layer"
EPOCH, BUILDPACKS_TIME = "1970-01-01T00:00:00Z", "1980-01-01T00:00:01Z"


def static(base: Image, name: str) -> Executable:
    """A Go program for the base's platform: linked statically, as with CGO_ENABLED=0."""
    return Executable(native(Elf(), base.document["architecture"], name))


def classic(base: Image) -> Image:
    """docker build without BuildKit. Source: moby's builder/dockerfile/dispatchers.go and internals.go."""
    nop = "/bin/sh -c #(nop) "
    steps = [
        entry(f"{nop} ENV STAGE=prod"),
        entry(f"{nop} ENV PATH=/opt/app/bin:{path_of(base)}"),
        entry(f"{nop} LABEL team=harbour"),
        entry("/bin/sh -c pip install -r requirements.txt", layer=True),
        entry(f"{nop}COPY file:{'5f' * 32} in /var/task/ ", layer=True),
        entry(f'{nop} CMD ["app.handler"]'),
    ]
    settings = settings_of(base, env_of(base, "STAGE=prod", f"PATH=/opt/app/bin:{path_of(base)}"), Cmd=["app.handler"])
    settings |= {"Labels": {**base.document["config"]["Labels"], "team": "harbour"}, "Image": base.digest}
    settings |= {"Hostname": "", "Domainname": "", "AttachStdin": False, "Tty": False, "OnBuild": None}
    own = {"container": "c0ffee" * 10 + "c0ff", "docker_version": "20.10.25"}
    return built(base, settings, steps, flavour="docker", own=own)


def buildkit(base: Image) -> Image:
    """docker buildx build. Source: BuildKit's frontend/dockerfile/dockerfile2llb/convert.go, commitToHistory."""
    by = "buildkit.dockerfile.v0"
    steps = [
        entry(f"ENV STAGE=prod PATH=/opt/app/bin:{path_of(base)}", comment=by),
        entry("WORKDIR /var/task", layer=True, comment=by),
        entry("RUN |1 EDITION=2 /bin/sh -c pip install . # buildkit", layer=True, comment=by),
        entry("COPY app.py /var/task/ # buildkit", layer=True, comment=by),
        entry("USER 1000", comment=by),
        entry("EXPOSE map[8080/tcp:{}]", comment=by),
        entry('CMD ["app.handler"]', comment=by),
    ]
    env = env_of(base, "STAGE=prod", f"PATH=/opt/app/bin:{path_of(base)}")
    settings = settings_of(base, env, Cmd=["app.handler"], User="1000", ExposedPorts={"8080/tcp": {}}, ArgsEscaped=True)
    layers = [make_layer({"var/task/": b""}), make_layer(REQUIREMENTS), make_layer(CODE)]
    return built(base, settings, steps, layers)


def buildkit_index(base: Image) -> Index:
    """The same as it is pushed: an index of the image and of its attestation (BuildKit, docs/attestations)."""
    image, statement = buildkit(base), attestation()
    note = {"vnd.docker.reference.digest": image.digest, "vnd.docker.reference.type": "attestation-manifest"}
    unknown = {"architecture": "unknown", "os": "unknown"}
    entries = [
        {**image.manifest.descriptor, "platform": image.platform},
        {**statement.manifest.descriptor, "annotations": note, "platform": unknown},
    ]
    document = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
    return Index(Blob(OCI_INDEX, canonical_json(document)), (image, statement))


def buildah(base: Image) -> Image:
    """buildah build --layers: lines as they were written, base layers compressed anew, annotations.

    Source: buildah's imagebuildah/stage_executor.go, getCreatedBy; image.go, which adds the comment FROM.
    """
    nop = "/bin/sh -c #(nop) "
    steps = [
        entry(f'{nop}env STAGE="prod" PATH="/opt/app/bin:$PATH"', comment=f"FROM {BASE}"),
        entry("/bin/sh -c pip install -r requirements.txt", layer=True, comment="FROM 0af3b2"),
        entry(f"{nop}COPY file:{'5f' * 32} in . ", layer=True, comment="FROM 1bf4c3"),
        entry(f'{nop}cmd ["app.handler"]'),
    ]
    env = env_of(base, "STAGE=prod", f"PATH=/opt/app/bin:{path_of(base)}")
    settings = settings_of(base, env, Cmd=["app.handler"])
    settings["Labels"] = {**settings["Labels"], "io.buildah.version": "1.39.3"}
    return built(recompressed(base), settings, steps, annotations={BASE_NAME: BASE, BASE_DIGEST: base.digest})


def kaniko(base: Image) -> Image:
    """kaniko: lines as they were written, with the old form of ENV too, Docker's media types.

    Source: kaniko's pkg/commands/*.go (String) and pkg/executor/build.go, saveSnapshotToImage (author kaniko).
    """
    steps = [
        entry("ENV STAGE prod", author="kaniko"),
        entry("ENV PATH=/opt/app/bin:$PATH", author="kaniko"),
        entry("RUN pip install -r requirements.txt", layer=True, author="kaniko"),
        entry("COPY app.py ./", layer=True, author="kaniko"),
        entry('CMD ["app.handler"]', author="kaniko"),
    ]
    env = env_of(base, "STAGE=prod", f"PATH=/opt/app/bin:{path_of(base)}")
    return built(base, settings_of(base, env, Cmd=["app.handler"]), steps, flavour="docker", own={"author": "kaniko"})


def ko(base: Image) -> Image:
    """ko build: its folder after PATH, an entry point and no CMD, annotations; Go's program is linked statically.

    Source: ko's pkg/build/gobuild.go, where CGO_ENABLED is 0.
    """
    by = "ko build ko://example.com/harbour/orders"
    steps = [
        entry(by, layer=True, author="ko", comment="kodata contents, at $KO_DATA_PATH", created=EPOCH),
        entry(by, layer=True, author="ko", comment="go build output, at /ko-app/orders", created=EPOCH),
    ]
    env = env_of(base, f"PATH={path_of(base)}:/ko-app", "KO_DATA_PATH=/var/run/ko")
    settings = settings_of(base, env, Entrypoint=["/ko-app/orders"])
    layers = [make_layer({"var/run/ko/": b""}), make_layer({"ko-app/orders": static(base, "orders")})]
    annotations = {BASE_NAME: BASE, BASE_DIGEST: base.digest}
    return built(base, settings, steps, layers, created=EPOCH, annotations=annotations, own={"author": "github.com/ko"})


def jib(base: Image) -> Image:
    """jib: every date the epoch, a layer each for dependencies and classes.

    Source: jib's jib-core, builder/steps/BuildImageStep.java and image/json/ImageToJsonTranslator.java.
    """
    by = {"author": "Jib", "created": EPOCH}
    steps = [
        entry("jib-maven-plugin:3.4.5", layer=True, comment="dependencies", **by),
        entry("jib-maven-plugin:3.4.5", layer=True, comment="classes", **by),
        entry("jib-maven-plugin:3.4.5", layer=True, comment="jvm arg files", **by),
    ]
    entrypoint = ["java", "-cp", "@/app/jib-classpath-file", "harbour.Main"]
    settings = settings_of(base, env_of(base, "JAVA_TOOL_OPTIONS=-Xss1m"), Entrypoint=entrypoint)
    files = (
        {"app/libs/dependency.jar": b"PK"},
        {"app/classes/Main.class": b"\xca\xfe"},
        {"app/jib-main-class-file": b""},
    )
    return built(base, settings, steps, [make_layer(each) for each in files], flavour="docker", created=EPOCH)


def buildpacks(base: Image) -> Image:
    """pack build: a base history that doesn't match its layers one by one is written anew, as blanks.

    Source: buildpacks/lifecycle's layers/layers.go (names of layers), phase/exporter.go; imgutil's normalised history.
    """
    at = {"created": BUILDPACKS_TIME}
    blanks = [dict(at) for _ in base.layers]
    steps = [
        {**at, "created_by": "Layer: 'dependencies', Created by buildpack: harbour/pip@1.2.0"},
        {**at, "created_by": "Application Layer"},
        {**at, "created_by": "Buildpacks Application Launcher"},
    ]
    env = env_of(
        base, "CNB_LAYERS_DIR=/layers", "CNB_APP_DIR=/workspace", f"PATH=/cnb/process:/cnb/lifecycle:{path_of(base)}"
    )
    settings = settings_of(base, env, Entrypoint=["/cnb/process/web"], WorkingDir="/workspace", User="1000:1000")
    settings["Labels"] = {
        **settings["Labels"],
        "io.buildpacks.rebasable": "true",
        BUILDPACKS: buildpacks_metadata(base),
    }
    files = ({"layers/pip/requests.py": b""}, {"workspace/app.py": b""}, {"cnb/launcher": static(base, "launcher")})
    layers = [make_layer(each) for each in files]
    return built(base, settings, steps, layers, inherited=blanks, created=BUILDPACKS_TIME)


def buildpacks_metadata(base: Image) -> str:
    """What `pack rebase` finds the base by. Source: Buildpacks' platform spec, io.buildpacks.lifecycle.metadata."""
    run_image = {"topLayer": base.diff_ids[-1], "reference": f"{BASE}@{base.digest}", "image": BASE}
    return canonical_json({"app": [{"sha": "sha256:5f"}], "runImage": run_image}).decode()


def nix(base: Image) -> Image:
    """dockerTools.streamLayeredImage with fromImage: a history of its own for all layers, of the base only Env.

    A program of the store asks for the store's own loader and C library, by their whole paths. Sources: nixpkgs'
    pkgs/build-support/docker/stream_layered_image.py, overlay_base_config; bintools-wrapper's ld-wrapper.sh.
    """
    architecture = base.document["architecture"]
    loader = LOADERS[architecture]
    c_library = {
        f"{NIX_GLIBC}/lib/{loader}": native(Elf(soname=loader), architecture, "nix", "loader"),
        f"{NIX_GLIBC}/lib/libc.so.6": native(libc("debian", architecture), architecture, "nix", "libc"),
    }
    hello = Elf(
        architecture=architecture,
        interpreter=f"/{NIX_GLIBC}/lib/{loader}",
        needed={"libc.so.6": ("GLIBC_2.34",)},
        runpath=f"/{NIX_GLIBC}/lib",
    )
    layers = [
        make_layer({path: Executable(data) for path, data in c_library.items()}),
        make_layer({f"{NIX_HELLO}/bin/hello": Executable(elf_bytes(hello))}),
        make_layer({"bin": SymlinkTo(f"/{NIX_HELLO}/bin")}),
    ]
    steps: list[Entry] = [
        {"created": EPOCH, "comment": f"store paths: ['/{path}']"} for path in (NIX_GLIBC, NIX_HELLO, NIX_LAYER)
    ]
    inherited: list[Entry] = [
        {"created": EPOCH, "comment": f"store paths: ['{layer.digest[7:]}/layer.tar']"} for layer in base.layers
    ]
    settings = {"Env": base.document["config"]["Env"], "Cmd": ["/bin/hello"]}
    return built(base, settings, steps, layers, inherited=inherited, created=EPOCH)


def rules_oci(base: Image) -> Image:
    """Bazel's rules_oci: layers are added, history is not, types are the base's. Source: its oci/private/image.sh."""
    settings = settings_of(base, env_of(base, f"PATH=/opt/app/bin:{path_of(base)}"), Cmd=["app.handler"])
    flavour: Flavour = "docker" if base.manifest.media_type == DOCKER_MANIFEST else "oci"
    return built(base, settings, [], flavour=flavour, created=base.document["created"])


def without_history(base: Image) -> Image:
    """What tools that squash only the history leave, and some registries' own builders: no history at all."""
    return built(base, settings_of(base, base.document["config"]["Env"], Cmd=["app.handler"]), [], inherited=[])


def zstd_layers(base: Image) -> Image:
    """buildx with compression=zstd,force-compression=true: base layers too. Source: BuildKit's README, exporters."""
    return zstd(buildkit(base))


def plain_layers(base: Image) -> Image:
    """buildx with compression=uncompressed,force-compression=true: plain tars. Source: BuildKit's README, exporters."""
    return plain(buildkit(base))


def nothing_of_its_own(base: Image) -> Image:
    """FROM and CMD, no layer."""
    settings = settings_of(base, base.document["config"]["Env"], Cmd=["app.handler"])
    return built(base, settings, [entry('CMD ["app.handler"]')], [])


def doubled_and_empty_layers(base: Image) -> Image:
    """An empty layer, one layer twice, and one of the base's own again on top."""
    empty, code = make_layer({}), make_layer(CODE)
    steps = [entry(f"COPY {number} /var/task/ # buildkit", layer=True) for number in range(4)]
    return built(base, dict(base.document["config"]), steps, [empty, code, code, base.layers[0]])


def hundred_layers(base: Image) -> Image:
    """98 COPY steps on a base of two layers, in Docker's schema 2."""
    own = [make_layer({f"var/task/part_{number}.py": b""}) for number in range(98)]
    steps = [entry(f"COPY part_{number}.py /var/task/ # buildkit", layer=True) for number in range(len(own))]
    return built(base, dict(base.document["config"]), steps, own, flavour="docker")


BUILDERS: Mapping[str, Builder] = {
    "docker, classic": classic,
    "buildkit": buildkit,
    "buildah": buildah,
    "kaniko": kaniko,
    "ko": ko,
    "jib": jib,
    "buildpacks": buildpacks,
    "nix": nix,
    "rules_oci": rules_oci,
    "no history": without_history,
    "buildkit, zstd": zstd_layers,
    "buildkit, uncompressed": plain_layers,
    "no layers of its own": nothing_of_its_own,
    "100 layers of schema 2": hundred_layers,
    "empty and doubled layers": doubled_and_empty_layers,
}
