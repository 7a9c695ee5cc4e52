"""Puts second readers of what we write, for the tests, beside the Python packages: npm's jspos for
ISO 8583, wechatpay-axios-plugin for bills (of which one file is used, that needs no other),
node-thermal-printer, which drives the simulated receipt printer, and ocpp-rpc, a central system
for the simulated charger, both with what they load; and axe-core, which judges our pages.

npm's alipay-sdk, a seller's program, stands with all that it loads in a place of its own.

Rule 1: only the versions below, and only if their bytes have the SHA-512 below, from whatever
        registry this machine's npm is set to. No script of a package runs. A tree's versions and
        SHA-512 stand in its ``npm-shrinkwrap.json``, and npm holds them against the bytes.
Rule 2: what cannot be had is said in one line; the tests that need it are skipped by name.
"""

import base64
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PACKAGES = {
    "jspos@0.0.11-RELEASE": (
        "WrtvySvPoDIueZ9Cv/V70Gsv+fOsYTuyDAv5GB5AFkTdrDWjsWMRGUKQzlDtgduwohxhVSUVHZpPSsc1oSfLzg=="
    ),
    "jsdk@0.0.13-Alpha": (
        "lVxsI6S4w22TLUE6AilSGjtAPSRq/bIonXA3VUUNcyU5WX/A+SIwCtn7dQ2ArX3TLVYC94kinPWeBYIIBS2udQ=="
    ),
    "node-thermal-printer@4.6.1": (
        "1suzv26np5eBWkdy2INszPNjd7mgqXISY5qVHgszge6VMWZ485GWsvOUCNWZbVhQVw9QtUzV1dHoCFKg9mIPPg=="
    ),
    "iconv-lite@0.6.3": (
        "4fCk79wshMdzMp2rH06qWrJE4iolqLhCUH+OiuIgU++RB0+94NlDL81atO7GX55uUKueo0txHNtvEyI6D7WdMw=="
    ),
    "safer-buffer@2.1.2": (
        "YZo3K82SD7Riyi0E1EQPojLz7kpepnSQI9IyPbHHg1XXXevb5dJI7tpyN2ADxGcQbHG7vcyRHk0cbwqcQriUtg=="
    ),
    "pngjs@7.0.0": (
        "LKWqWJRhstyYo9pGvgor/ivk2w94eSjE3RGVuzLGlr3NmD8bf7RcYGze1mNdEHRP6TRP6rMuDHk5t44hnTRyow=="
    ),
    "ocpp-rpc@2.2.1": (
        "CEzYrdv8U62c7SLcoEhjs0k2SvTULeAYVzVfoQgE9B5jRz5QeCQMTm854Nva6xgNfNcOVX9qPKcAoWhSmQj6sA=="
    ),
    "ajv@8.14.0": (
        "oYs1UUtO97ZO2lJ4bwnWeQW8/zvOIQLGKcvPTsWmvc2SYgBb+upuNS5NxoLaMU4h8Ju3Nbj6Cq8mD2LQoqVKFA=="
    ),
    "ajv-formats@2.1.1": (
        "Wx0Kx52hxE7C18hkMEggYlEifqWZtYaRgouJor+WMdPnQyEK13vgEWyVNup7SoeeoLMsr4kf5h6dOW11I15MUA=="
    ),
    "backoff@2.5.0": (
        "wC5ihrnUXmR2douXmXLCe5O3zg3GKIyvRi/hi58a/XyRxVI+3/yM0PYueQOZXPXQ9pxBislYkw+sF9b7C/RuMA=="
    ),
    "precond@0.2.3": (
        "QCYG84SgGyGzqJ/vlMsxeXd/pgL/I94ixdNFyh1PusWmTCyVfPJjZ1K1jvHtsbfnXQs2TSkEP2fR7QiMZAnKFQ=="
    ),
    "ws@8.18.0": (
        "8VbfWfHLbbwu3+N6OKsOMpBdT4kXPDDB9cJk2bJ6mh9ucxdlnNvH1e+roYkKmN9Nxw2yjz7VzeO9oOz2zJ04Pw=="
    ),
    "fast-deep-equal@3.1.3": (
        "f3qQ9oQy9j2AhBe/H9VC91wLmKBCCU/gDOnKNAYG5hswO7BLKj09Hc5HYNz9cGI++xlpDCIgDaitVs03ATR84Q=="
    ),
    "json-schema-traverse@1.0.0": (
        "NM8/P9n3XjXhIZn1lLhkFaACTOURQXjWhV4BA/RnOv8xvgqtqpAX9IO4mRQxSx1Rlo4tqzeqb0sOlruaOy3dug=="
    ),
    "require-from-string@2.0.2": (
        "Xf0nWe6RseziFMu+Ap9biiUbmplq6S9/p+7w7YXP/JBHhrUDDUhwa+vANyubuqfZWTveU//DYVGsDG7RKL/vEw=="
    ),
    "uri-js@4.4.1": (
        "7rKUyy33Q1yc98pQ1DAmLtwX109F7TIfWlW1Ydo8Wl1ii1SeHieeh0HHfPeL2fMXK6z0s8ecKs9frCuLJvndBg=="
    ),
    "punycode@2.3.1": (
        "vYt7UD1U9Wg6138shLtLOvdAu+8DsC/ilFtEVHcH+wydcSpNE20AfSOduf6MkRFahL5FY7X1oU7nKVZFtfq8Fg=="
    ),
    "axe-core@4.14.1": (
        "FHfa+lmNjQZfJz1q8wKqIDwC6DExcHt/pkjNQb09a3NPjCKg2rhu5qb2S4r76ASyFNNtuFooJpZe37OgudVGtQ=="
    ),
    "wechatpay-axios-plugin@0.9.6": (
        "QWw5mfi8HCO/hdELqZQqJp34HtVjjMQNVvg1t4/OVNa3j69cVqY5DW5fcikZL390GxVMyphgKbAqT0YmdbM/EQ=="
    ),
}
PLACE = Path(sys.prefix) / "npm_readers" / "node_modules"
TREE = Path(__file__).with_name("npm_alipay")
TREE_PLACE = PLACE.parent / "alipay"
FETCH_TIMEOUT_S = 120
MISSING = "Missing: npm's second readers ({}). Their tests will be skipped."


def main() -> None:
    """Fetch what is missing."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        if not is_whole():
            print(MISSING.format("no node and npm"))
        return
    for name, integrity in PACKAGES.items():
        reason = "" if has(name) else fetch(npm, name, integrity)
        if reason:
            print(MISSING.format(reason))
            return
    reason = "" if has_tree() else fetch_tree(npm)
    if reason:
        print(MISSING.format(reason))


def is_whole() -> bool:
    """Whether everything is there."""
    return all(has(name) for name in PACKAGES) and has_tree()


def has(name: str) -> bool:
    """Whether a package is there."""
    return (PLACE / name.partition("@")[0] / "package.json").is_file()


def has_tree() -> bool:
    """Whether the tree is there as it is wanted."""
    wanted, found = TREE / "npm-shrinkwrap.json", TREE_PLACE / "installed.json"
    return found.is_file() and found.read_bytes() == wanted.read_bytes()


def fetch_tree(npm: str) -> str:
    """Put the tree in its place; why it could not, or nothing."""
    shutil.rmtree(TREE_PLACE, ignore_errors=True)
    shutil.copytree(TREE, TREE_PLACE)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(
            command, check=True, capture_output=True, timeout=FETCH_TIMEOUT_S, cwd=TREE_PLACE
        )
    except (subprocess.SubprocessError, OSError) as error:
        return f"npm ci: {type(error).__name__}"
    shutil.copyfile(TREE / "npm-shrinkwrap.json", TREE_PLACE / "installed.json")
    return ""


def fetch(npm: str, name: str, integrity: str) -> str:
    """Put a package in its place; why it could not, or nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [npm, "pack", name, "--ignore-scripts", "--pack-destination", scratch]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=FETCH_TIMEOUT_S)
        except (subprocess.SubprocessError, OSError) as error:
            return f"npm: {type(error).__name__}"
        (archive,) = Path(scratch).glob("*.tgz")
        found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
        if found != integrity:
            return f"{name} has other bytes than expected"
        with tarfile.open(archive) as packed:
            # Before 3.11.4 there is no filter to ask for; the bytes are known in any case.
            packed.extraction_filter = getattr(tarfile, "data_filter", None)
            packed.extractall(scratch)  # noqa: S202  # of a pinned hash
        place = PLACE / name.partition("@")[0]
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(Path(scratch) / "package", place)
    return ""


if __name__ == "__main__":
    main()
