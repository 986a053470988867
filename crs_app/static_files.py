"""Static files under names with a hash of their content, so that a browser fetches each once."""

from whitenoise.storage import CompressedManifestStaticFilesStorage


class HashedStaticFiles(CompressedManifestStaticFilesStorage):  # type: ignore[misc]  # untyped
    """WhiteNoise's storage, which also renames the modules that our scripts import."""

    support_js_module_import_aggregation = True
    # Only in our own scripts: those of libraries import files that they do not ship.
    _js_module_import_aggregation_patterns = (
        "crs/*.js",
        CompressedManifestStaticFilesStorage._js_module_import_aggregation_patterns[1],
    )
