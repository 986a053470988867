"""The floor: session, sign-in check, CSRF check, one INSERT in a transaction, 2 kB of HTML.

Every charting application does at least this. Costs are multiples of it, measured on the same
machine in the same minute.
"""
