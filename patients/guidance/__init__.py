"""Guidance by Figure 2 of Lee 2014: the items advised now, and the answers to them."""
