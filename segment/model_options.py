"""Options for modes that are kept, or found in all inputs together."""

from __future__ import annotations

from segment.options import option, together

model_options = together(
    option("Reusing", "--save-model", metavar="FILE", help="Keep the modes of this run, as JSON."),
    option(
        "Reusing",
        "--model",
        metavar="FILE",
        help="Label with the modes that --save-model kept.",
    ),
    option(
        "Reusing",
        "--fit-together",
        is_flag=True,
        help="Find one set of modes for all inputs, as if they were one image.",
    ),
)
