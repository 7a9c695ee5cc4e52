"""Puts second readers of what we write, for the tests, beside the Python packages: npm's jspos for
ISO 8583, wechatpay-axios-plugin, which is a merchant's program and reads bills,
node-thermal-printer, which drives the simulated receipt printer, and ocpp-rpc, a central system
for the simulated charger, each with what it loads; and axe-core, which judges our pages.

npm's alipay-sdk, a seller's program, and npm's mqtt and coap, terminals by other people, stand each
with all that they load in a place of their own.

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
from concurrent.futures import ThreadPoolExecutor
from functools import partial
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
    "@thenorthmemory/multipart@1.0.0": (
        "07O7cClYyEp1HySnNZiMwuLA5Lo7ldfkberosUcITWRKbowleqH6PwNTCVH7eKmfkYNLGSHEBjlqCcFD9I0bRQ=="
    ),
    "agent-base@6.0.2": (
        "RZNwNclF7+MS/8bDg70amg32dyeZGZxiDuQmZxKLAlQjr3jGyLx+4Kkk58UO7D2QdgFIQCovuSuZESne6RG6XQ=="
    ),
    "async-function@1.0.0": (
        "hsU18Ae8CDTR6Kgu9DYf0EbCr/a5iGL0rytQDobUcdpYOKokk8LEjVphnXkDkgpi0wYVsqrXuP0bZxJaTqdgoA=="
    ),
    "async-generator-function@1.0.0": (
        "+NAXNqgCrB95ya4Sr66i1CL2hqLVckAk7xwRYWdcm39/ELQ6YNn1aw5r0bdQtqNZgQpEWzc5yc/igXc7aL5SLA=="
    ),
    "asynckit@0.4.0": (
        "Oei9OH4tRh0YqU3GxhX79dM/mwVgvbZJaSNaRk+bshkj0S5cfHcgYakreBjrHwatXKbz+IoIdYLxrKim2MjW0Q=="
    ),
    "axios@1.21.1": (
        "6eI5Q/Y4u/Um9dDlsRoq5pY2rxnUTv+L4PpLitnbk/i4jb3MxLZ5CsN5Ih3IysbeRYK4pR+P7qfMsOQl9fwwFQ=="
    ),
    "call-bind-apply-helpers@1.0.2": (
        "Sp1ablJ0ivDkSzjcaJdxEunN5/XvksFJ2sMBFfq6x0ryhQV/2b/KwFe21cMpmHtPOSij8K99/wSfoEuTObmuMQ=="
    ),
    "combined-stream@1.0.8": (
        "FQN4MRfuJeHf7cBbBMJFXhKSDq+2kAArBlmRBvcvFE5BB1HZKXtSFASDhdlz9zOYwxh8lDdnvmMOe/+5cdoEdg=="
    ),
    "debug@4.4.3": (
        "RGwwWnwQvkVfavKVt22FGLw+xYSdzARwm0ru6DhTVA3umU5hZc28V3kO4stgYryrTlLpuvgI9GiijltAjNbcqA=="
    ),
    "delayed-stream@1.0.0": (
        "ZySD7Nf91aLB0RxL4KGrKHBXl7Eds1DAmEdcoVawXnLD7SDhpNgtuII2aAkg7a7QS41jxPSZ17p4VdGnMHk3MQ=="
    ),
    "dunder-proto@1.0.1": (
        "KIN/nDJBQRcXw0MLVhZE9iQHmG68qAVIBg9CqmUYjmQIhgij9U5MFvrqkUL5FbtyyzZuOeOt0zdeRe4UY7ct+A=="
    ),
    "es-define-property@1.0.1": (
        "e3nRfgfUZ4rNGL232gUgX06QNyyez04KdjFrF+LTRoOXmrOgFKDg4BCdsjW8EnT69eqdYGmRpJwiPVYNrCaW3g=="
    ),
    "es-errors@1.3.0": (
        "Zf5H2Kxt2xjTvbJvP2ZWLEICxA6j+hAmMzIlypy4xcBg1vKVnx89Wy0GbS+kf5cwCVFFzdCFh2XSCFNULS6csw=="
    ),
    "es-object-atoms@1.1.2": (
        "HWcBoN6NileqtSydK2FqHbS/LoDd2pqrnQHLyJzBj4kOp/ky2MWMN694xOfkK8/SnUsW2DH7EfyVlydKCsm1Zw=="
    ),
    "es-set-tostringtag@2.1.0": (
        "j6vWzfrGVfyXxge+O0x5sh6cvxAog0a/4Rdd2K36zCMV5eJ+/+tOAngRO8cODMNWbVRdVlmGZQL2YS3yR8bIUA=="
    ),
    "fast-xml-parser@5.12.1": (
        "wR8dO/fx+z8C5exuem1e7BKOWvjsuzvjS/tvA/Xu3Z1zQqJGcXrPzXbcAiaMgp2KjreEROcTkmnnisrcmJ2hYQ=="
    ),
    "follow-redirects@1.16.3": (
        "toOSoqN6d51Wjf1aOFJYcoVv1aND9rj/CwjLU0Vz40oDuSpWDayCeKe4JpL5NL0WdFvoOOCI3BRo69HahjbR1A=="
    ),
    "form-data@4.0.6": (
        "vKatAh4SlVfgbv+YtmhiRjhEMJsYpsG1Y2rMQtR+SVSbytsSD1YGzDIcrAJmdFec88u/+VoGmxnl+80gL1tRCQ=="
    ),
    "function-bind@1.1.2": (
        "7XHNxH7qX9xG5mIwxkhumTox/MIRNcOgDrxWsMt2pAr23WHp6MrRlN7FBSFpCpr+oVO0F744iUgR82nJMfG2SA=="
    ),
    "generator-function@2.0.1": (
        "SFdFmIJi+ybC0vjlHN0ZGVGHc3lgE0DxPAT0djjVg+kjOnSqclqmj0KQ7ykTOLP6YxoqOvuAODGdcHJn+43q3g=="
    ),
    "get-intrinsic@1.3.1": (
        "fk1ZVEeOX9hVZ6QzoBNEC55+Ucqg4sTVwrVuigZhuRPESVFpMyXnd3sbXvPOwp7Y9riVyANiqhEuRF0G1aVSeQ=="
    ),
    "get-proto@1.0.1": (
        "sTSfBjoXBp89JvIKIefqw7U2CCebsc74kiY6awiGogKtoSGbgjYE/G/+l9sF3MWFPNc9IcoOC4ODfKHfxFmp0g=="
    ),
    "gopd@1.2.0": (
        "ZUKRh6/kUFoAiTAtTYPZJ3hw9wNxx+BIBOijnlG9PnrJsCcSjs1wyyD6vJpaYtgnzDrKYRSqf3OO6Rfa93xsRg=="
    ),
    "has-symbols@1.1.0": (
        "1cDNdwJ2Jaohmb3sg4OmKaMBwuC48sYni5HUw2DvsC8LjGTLK9h+eb1X6RyuOHe4hT0ULCW68iomhjUoKUqlPQ=="
    ),
    "has-tostringtag@1.0.2": (
        "NqADB8VjPFLM2V0VvHUewwwsw0ZWBaIdgo+ieHtK3hasLz4qeCRjYcqfB6AQrBggRKppKF8L52/VqdVsO47Dlw=="
    ),
    "hasown@2.0.4": (
        "T2UbfbBEF32wiepXIsMlTW9+dDYC6wMh/t/vYA4tuOMKqWz/n3vr1NFSxQiyP+zk2mXsoMA/i/7qV6LKut1t1A=="
    ),
    "https-proxy-agent@5.0.1": (
        "dFcAjpTQFgoLMzC2VwU+C/CbS7uRL0lWmxDITmqm7C+7F0Odmj6s9l6alZc6AELXhrnggM2CeWSXHGOdX2YtwA=="
    ),
    "math-intrinsics@1.1.0": (
        "/IXtbwEk5HTPyEwyKX6hGkYXxM9nbj64B+ilVJnC/R6B0pH5G4V3b0pVbL7DBj4tkhBAppbQUlf6F6Xl9LHu1g=="
    ),
    "mime-db@1.52.0": (
        "sPU4uV7dYlvtWJxwwxHD0PuihVNiE7TyAbQ5SWxDCB9mUYvOgroQOwYQQOKPJ8CIbE+1ETVlOoK1UC2nU3gYvg=="
    ),
    "mime-types@2.1.35": (
        "ZDY+bPm5zTTF+YpCrAU9nK0UgICYPT0QtT1NZWFv4s++TNkcgVaT0g6+4R2uI4MjQjzysHB1zxuWL50hzaeXiw=="
    ),
    "ms@2.1.3": (
        "6FlzubTLZG3J2a/NVCAleEhjzq5oxgHyaCU9yYXvcLsvoVaHJq/s5xXI6/XXP6tz7R9xAOtHnSO/tXtF3WRTlA=="
    ),
}
PLACE = Path(sys.prefix) / "npm_readers" / "node_modules"
TREES = {
    Path(__file__).with_name("npm_alipay"): PLACE.parent / "alipay",
    Path(__file__).with_name("npm_mqtt"): PLACE.parent / "mqtt",
    Path(__file__).with_name("npm_coap"): PLACE.parent / "coap",
}
FETCH_TIMEOUT_S = 120
MISSING = "Missing: npm's second readers ({}). Their tests will be skipped."


def main() -> None:
    """Fetch what is missing."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        if not is_whole():
            print(MISSING.format("no node and npm"))
        return
    missing = {integrity: name for name, integrity in PACKAGES.items() if not has(name)}
    fetches = [partial(fetch, npm, missing)] if missing else []
    fetches += [partial(fetch_tree, npm, *one) for one in TREES.items() if not has_tree(*one)]
    with ThreadPoolExecutor() as side_by_side:
        reasons = list(filter(None, side_by_side.map(lambda fetch_it: fetch_it(), fetches)))
    if reasons:
        print(MISSING.format(reasons[0]))


def is_whole() -> bool:
    """Whether everything is there."""
    trees = all(has_tree(tree, place) for tree, place in TREES.items())
    return trees and all(has(name) for name in PACKAGES)


def has(name: str) -> bool:
    """Whether a package is there."""
    return (_place(name) / "package.json").is_file()


def has_tree(tree: Path, place: Path) -> bool:
    """Whether a tree is there as it is wanted."""
    wanted, found = tree / "npm-shrinkwrap.json", place / "installed.json"
    return found.is_file() and found.read_bytes() == wanted.read_bytes()


def fetch_tree(npm: str, tree: Path, place: Path) -> str:
    """Put a tree in its place; why it could not, or nothing."""
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(tree, place)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    try:
        subprocess.run(command, check=True, capture_output=True, timeout=FETCH_TIMEOUT_S, cwd=place)
    except (subprocess.SubprocessError, OSError) as error:
        return f"npm ci: {type(error).__name__}"
    shutil.copyfile(tree / "npm-shrinkwrap.json", place / "installed.json")
    return ""


def fetch(npm: str, missing: dict[str, str]) -> str:
    """Put packages, named by their hashes, in their places; why one could not, or nothing."""
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            npm,
            "pack",
            *missing.values(),
            "--ignore-scripts",
            "--pack-destination",
            scratch,
        ]
        try:
            subprocess.run(command, check=True, capture_output=True, timeout=FETCH_TIMEOUT_S)
        except (subprocess.SubprocessError, OSError) as error:
            return f"npm: {type(error).__name__}"
        for archive in Path(scratch).glob("*.tgz"):
            found = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
            if found not in missing:
                return f"{archive.name} has other bytes than expected"
            _unpack(archive, _place(missing[found]))
    return ""


def _unpack(archive: Path, place: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch, tarfile.open(archive) as packed:
        # Before 3.11.4 there is no filter to ask for; the bytes are known in any case.
        packed.extraction_filter = getattr(tarfile, "data_filter", None)
        packed.extractall(scratch)  # noqa: S202  # of a pinned hash
        (content,) = Path(scratch).iterdir()  # "package", but for a few
        shutil.rmtree(place, ignore_errors=True)
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(content, place)


def _place(name: str) -> Path:
    return PLACE / name.rpartition("@")[0]


if __name__ == "__main__":
    main()
