"""Proof that nothing is lost: clients save while processes are killed, and a checker compares."""
