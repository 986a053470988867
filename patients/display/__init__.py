"""Text and plain values for templates, built without a request and without SQL."""
