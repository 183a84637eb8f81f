"""Setuptools' steps that build the browser side first, so that a wheel's users need no Node.

Named in setup.cfg under `cmdclass`; setuptools loads this file by its path, before the package
can be imported, so it imports nothing of the house.
"""

import subprocess
import sys
from pathlib import Path

from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

HERE = Path(__file__).resolve().parent


def browser_side() -> None:
    """Build it; raises CalledProcessError when that fails."""
    subprocess.run([sys.executable, str(HERE / "bundle.py"), "build"], check=True)


class BuildPy(build_py):
    """Collect the package's files, the built browser side among them."""

    def run(self) -> None:
        """An editable install leaves the build to `make`, which knows when it is due."""
        if not self.editable_mode:
            browser_side()
            self.__dict__.pop("data_files", None)  # listed when first asked for: after building
        super().run()


class Sdist(sdist):
    """The source archive carries the browser side built."""

    def run(self) -> None:
        """Build, then archive."""
        browser_side()
        super().run()
