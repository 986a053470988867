"""The handover: one printed page of a course for the change of shift."""
