"""The floor: session, sign-in check, CSRF check, one INSERT in a transaction, 2 kB of HTML.

Whatever a charting application does, it does this. Costs are given as multiples of it, measured on
the same machine in the same minute.
"""
