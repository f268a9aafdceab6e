"""What pyproject.toml cannot say: the lessons travel in the wheel, as minigan/lessons."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py


class BuildWithLessons(build_py):
    """Copies lessons/ into the package that is built.  An editable install finds the folder beside the package."""

    def run(self):
        super().run()
        if not self.editable_mode:
            unread = shutil.ignore_patterns("__pycache__", "lesson-figures")
            shutil.copytree("lessons", Path(self.build_lib, "minigan", "lessons"), ignore=unread, dirs_exist_ok=True)


setup(cmdclass={"build_py": BuildWithLessons})
