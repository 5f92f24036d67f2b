"""Build the kernels: every .pyx of the package. All else about it stands in pyproject.toml."""

import os
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

# What the kernels need of Cython to take arrays: two thirds of their C, compiled once for all.
SHARED = "segment._cyutility"

# One build serves every Python from here on. The free-threaded ones have no such interface.
OLDEST = (3, 11)
STABLE = not sysconfig.get_config_var("Py_GIL_DISABLED")
MACROS = [("Py_LIMITED_API", f"0x{OLDEST[0]:02x}{OLDEST[1]:02x}0000")] if STABLE else []

# -ffp-contract=off: a fused multiply-add would round otherwise than scikit-learn, and than a
#   processor that has none. The kernels say so in their sources, too.
# -g0: what a debugger wants is four fifths of the size of a wheel and a quarter of the time.
# -Werror: a function that no header declares is refused by newer compilers anyway.
FLAGS = ["-O3", "-g0", "-ffp-contract=off", "-Werror=implicit-function-declaration"]
FLAGS_OF_MSVC = ["/O2"]  # it fuses nothing unless asked to, and keeps debug information apart


def kernels():
    """Return an extension for every .pyx; all are made anew when a header or this file changes."""
    depends = [*sorted(str(path) for path in Path("segment").rglob("*.h")), "setup.py"]
    sources = {SHARED: SHARED.replace(".", "/") + ".c"}
    for path in sorted(Path("segment").rglob("*.pyx")):
        sources[".".join(path.with_suffix("").parts)] = str(path)
    return [
        Extension(name, [source], depends=depends, define_macros=MACROS, py_limited_api=STABLE)
        for name, source in sources.items()
    ]


class BuildKernels(build_ext):
    """Cython writes the C into the folder of the build; compilers take it in parallel."""

    def finalize_options(self):
        super().finalize_options()
        self.parallel = self.parallel or os.cpu_count()

    def build_extensions(self):
        from Cython.Build import cythonize  # here: what lists sources or metadata needs none

        written = {
            extension.name: extension.sources
            for extension in cythonize(
                self.extensions, build_dir=self.build_temp, shared_utility_qualified_name=SHARED
            )
        }
        for extension in self.extensions:
            extension.sources = written[extension.name]
            if self.compiler.compiler_type == "msvc":
                extension.extra_compile_args = FLAGS_OF_MSVC
            else:
                extension.extra_compile_args = FLAGS
        super().build_extensions()


setup(
    ext_modules=kernels(),
    cmdclass={"build_ext": BuildKernels},
    options={"bdist_wheel": {"py_limited_api": "cp{}{}".format(*OLDEST)}} if STABLE else {},
)
