"""Launches from a health record: SMART App Launch 2.2, the health record's side and ours."""
