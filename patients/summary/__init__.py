"""The summary of a course: what registries ask for, each answer with the entries behind it."""
