"""The two images: a base with Java and Python, and our server upon it.

Where a registry can be reached, RMQ_COMPAT_BASE_IMAGE names an ordinary image (Debian 12 or what
descends from it) to start from. Without it the base is made by debootstrap from the Debian mirror
that this machine's own apt settings name, so that Debian is all one needs.
"""

import functools
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

import artifacts
import docker

BASE = "rmq-compat-base:bookworm-jre17"
SERVER = "rmq-compat-server"
_SUITE = "bookworm"
_PACKAGES = (
    "ca-certificates",
    "iproute2",
    "openjdk-17-jre-headless",
    "python3",
    "python3-pip",
    "python3-venv",
)


def base(engine: docker.DockerClient) -> str:
    """Give the tag of the base image, making it where it is missing (some minutes, once)."""
    chosen = os.environ.get("RMQ_COMPAT_BASE_IMAGE")
    if chosen:
        tag = f"rmq-compat-base:{chosen.replace('/', '-').replace(':', '-')}"
        if not _has(engine, tag):
            _build(engine, tag, "base.dockerfile", {}, chosen)
        return tag
    if not _has(engine, BASE):
        _debootstrap()
    return BASE


@functools.cache
def server(engine: docker.DockerClient) -> str:
    """Give the tag of the image of the checkout as it was when first asked."""
    under = base(engine)
    wheels, project = artifacts.dependency_wheels(), artifacts.project_wheel()
    recipe = artifacts.HERE / "server.dockerfile"
    state = artifacts.digest([*wheels.glob("*.whl"), *artifacts.project_files(), recipe])
    tag = f"{SERVER}:{state}"
    if not _has(engine, tag):
        _build(engine, tag, recipe.name, {"wheels": wheels, "project": project}, under)
        _forget_others(engine, tag)
    return tag


def _has(engine: docker.DockerClient, tag: str) -> bool:
    return bool(engine.images.list(name=tag))


def _build(
    engine: docker.DockerClient, tag: str, recipe: str, folders: dict[str, Path], under: str
) -> None:
    with tempfile.TemporaryDirectory() as context:
        shutil.copy(artifacts.HERE / recipe, Path(context, "Dockerfile"))
        for name, folder in folders.items():
            shutil.copytree(folder, Path(context, name))
        try:
            engine.images.build(path=context, tag=tag, buildargs={"BASE": under}, rm=True)
        except docker.errors.BuildError as error:
            said = "".join(
                str(line.get("stream", line.get("error", ""))) for line in error.build_log
            )
            raise RuntimeError(f"image {tag}: {error}\n{said[-3000:]}") from error


def _forget_others(engine: docker.DockerClient, kept: str) -> None:
    """Drop the images of earlier states of the checkout, unless a container uses one."""
    for image in engine.images.list(name=SERVER):
        for tag in image.tags:
            if tag != kept:
                try:
                    engine.images.remove(tag)
                except docker.errors.APIError:
                    continue


def _debootstrap() -> None:
    if os.geteuid() != 0:
        raise RuntimeError(
            f"the image {BASE} is missing, and making it by debootstrap needs root: run once as root, "
            "or set RMQ_COMPAT_BASE_IMAGE to a Debian 12 image that the Docker engine can get"
        )
    with tempfile.TemporaryDirectory(dir="/var/tmp") as folder:
        root = Path(folder, "root")
        artifacts.run(
            *("debootstrap", "--variant=minbase", f"--include={','.join(_PACKAGES)}"),
            *(_SUITE, root, *_mirror()),
            timeout_s=1200,
        )
        for archive in (root / "var/cache/apt/archives").glob("*.deb"):
            archive.unlink()
        shutil.rmtree(root / "var/lib/apt/lists")
        with subprocess.Popen(["tar", "-C", root, "-c", "."], stdout=subprocess.PIPE) as tar:
            subprocess.run(
                ["docker", "import", "-", BASE], stdin=tar.stdout, check=True, timeout=600
            )
        if tar.returncode:
            raise RuntimeError(f"tar ended with {tar.returncode}")


def _mirror() -> list[str]:
    """Where apt itself would get this suite from; nothing lets debootstrap choose."""
    listed = artifacts.run(
        *("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"),
        "Created-By: Packages",
        timeout_s=60,
    )
    for line in listed.splitlines():
        address, release, component = line.split()
        if (release, component) == (_SUITE, "main"):
            return [address]
    return []
