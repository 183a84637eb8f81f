"""What every careloom process has done by the time it begins: imported once, an app made once.

The forkserver of `nursery` imports this; what it forks is warm and has opened nothing.
"""

import os
import tempfile

import careloom.builders.area
import careloom.platform.cli
import careloom.runtime.area  # noqa: F401
from careloom.platform.web.app import create_app

with tempfile.TemporaryDirectory() as home:
    os.environ["CARELOOM_HOME"] = home
    create_app().extensions["careloom.database"].close()
    del os.environ["CARELOOM_HOME"]
