"""Who another system is, what it may do, and what it did: keys, tokens, scopes, the record."""
