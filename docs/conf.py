"""How the pages are built: ``sphinx-build -W docs docs/_build``."""

import sys
from pathlib import Path

from sphinx_gallery.sorting import ExplicitOrder

import skau

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

project = "skau"
author = "the skau developers"
project_copyright = "2026, the skau developers"
release = version = skau.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
    "api_pages",
    "see_also",
    "au_atlas",
]
exclude_patterns = ["_build", "gallery/*/*.md5"]
html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "navigation_with_keys": False,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
}
html_static_path: list[str] = []

autosummary_generate = True
templates_path = ["_templates"]
autodoc_typehints = "none"  # numpydoc tells the types in words
numpydoc_show_class_members = False
numpydoc_xref_param_type = False
myst_enable_extensions = ["dollarmath", "colon_fence"]
myst_heading_anchors = 3
suppress_warnings = ["config.cache"]  # sphinx-gallery's settings hold a class

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/plot_",
    "abort_on_example_error": True,
    "within_subsection_order": "FileNameSortKey",
    "subsection_order": ExplicitOrder(["*"]),
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "reset_modules": ("matplotlib", "gallery_reset.scikit_learn"),
    "min_reported_time": 1000,
    "doc_module": ("skau",),
    "backreferences_dir": "gallery/uses",
}
