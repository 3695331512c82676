"""Sphinx makes the documentation site of docs/: `make site`."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import brnn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE / "extensions"))
sys.path.insert(0, str(HERE.parent / "simulations"))

QUICK = os.environ.get("BRNN_DOCS") == "quick"  # nothing is run: for CI, where the tests run it anyway

project = "brnn"
author = "The brnn developers"
release = version = brnn.__version__
extensions = [
    "mathml",
    "api_page",
    "model_pages",
    "simulation_pages",
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.viewcode",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["templates"]
exclude_patterns = ["_build", "templates", "generated/simulation_scripts/**", "extensions"]
nitpicky = True

myst_enable_extensions = ["deflist"]
myst_heading_anchors = 3

autosummary_generate = [str(HERE / "generated" / "api.rst")]
autodoc_typehints = "none"  # numpydoc's sections say the types in words
numpydoc_show_class_members = False
numpydoc_xref_param_type = False

html_theme = "pydata_sphinx_theme"
html_title = f"brnn {release}"
html_math_renderer = "mathml"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_theme_options = {
    "header_links_before_dropdown": 6,
    "navigation_with_keys": False,
    "show_prev_next": False,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
}
html_show_sourcelink = False
html_context = {"default_mode": "auto"}  # else pages complain of the mode ""
copyright = "The brnn developers, BSD-3-Clause"

sphinx_gallery_conf = {
    "examples_dirs": [str(HERE / "generated" / "simulation_scripts")],
    "gallery_dirs": ["generated/simulations"],
    "filename_pattern": r"(?<!_common)\.py$",
    "ignore_pattern": r"_common\.py$",
    "plot_gallery": not QUICK,
    "image_scrapers": ("simulation_pages.figure_of_script",),
    "reset_argv": "simulation_pages.arguments_of_script",
    "reset_modules": (),
    "only_warn_on_example_error": False,
    "abort_on_example_error": True,
    "download_all_examples": False,
    "write_computation_times": False,  # it would stand among the sources
    "show_signature": False,
    "remove_config_comments": True,
    "within_subsection_order": "FileNameSortKey",
}
