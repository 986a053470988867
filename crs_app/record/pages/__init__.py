"""Pages of the record: who looked at a patient, what a person did, and everything in order."""
