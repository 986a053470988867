"""Second factors and passkeys: codes of an app, recovery codes, and keys of a device."""
