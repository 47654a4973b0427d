"""How Sphinx builds this documentation."""

from __future__ import annotations

from typing import Any

from asession import __version__

project = "asession"
author = "the asession developers"
copyright = author
release = version = __version__

extensions = ["sphinx.ext.autodoc", "sphinx.ext.napoleon", "myst_parser"]
exclude_patterns = ["_build"]
html_theme = "furo"
html_title = "asession"
html_static_path = ["_static"]
html_css_files = ["narrow.css"]

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

# Single backticks in docstrings are code.
default_role = "code"
napoleon_google_docstring = True
napoleon_numpy_docstring = False
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
python_use_unqualified_type_names = True

# What has no page here to be linked: the standard library, upstream, type variables, and the
# private types that signatures name and nobody needs to spell.
nitpick_ignore_regex = [
    (r"py:.*", r"(collections\.abc|datetime|os|pathlib|typing)\..*"),
    (r"py:.*", r"((aiobotocore|botocore|boto3|anyio)\..*|AioBaseClient|AioSession|Config)"),
    (r"py:.*", r"opentelemetry\..*"),
    (
        r"py:.*",
        r"((asession\.)?_.*|(.*\.)?(Opening|Stretch|SessionEvents|MFAPrompt|CredentialSource|K|P|T))",
    ),
    (r"py:.*", r"Observer"),
    (r"py:.*", r".*\.GetParameters"),
    # What the testing kit is made of.
    (r"py:.*", r"(asession\.testing\.\w+\.)?(TapedSession|Answer|Server|ServerSpec|LoopWatch)"),
]


def show_examples_as_code(
    _app: Any, _what: str, _name: str, _object: Any, _options: Any, lines: list[str]
) -> None:
    """Make the text below ``Example:`` a code block, before napoleon reads the docstring."""
    for index in [i for i, line in enumerate(lines) if line == "Example:"][::-1]:
        lines[index : index + 1] = [".. rubric:: Example", "", ".. code-block:: python", ""]


def setup(app: Any) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", show_examples_as_code, priority=400)
