"""Words and plain values for templates. Knows no request and no SQL."""
