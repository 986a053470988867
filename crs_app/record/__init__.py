"""The record: who looked at what, signed in, exported and changed rights; append-only."""
