"""The project: settings, database server, addresses, sign-in."""
