"""Statements that read the chart, and their rows as plain values.

A table that one room alone writes, such as that of grants, is read in that room.
"""
