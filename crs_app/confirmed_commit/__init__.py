"""The database backend of every process: a COMMIT that is confirmed, or an error that says so."""
