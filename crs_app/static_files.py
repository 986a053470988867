"""Static files under names that change with their contents: a browser asks for each once."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """The modules that a script imports have such names too: a page seen before is one request."""

    support_js_module_import_aggregation = True
    # Of our own scripts alone: what others publish names files that are not there.
    _js_module_import_aggregation_patterns = (
        "crs/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )
