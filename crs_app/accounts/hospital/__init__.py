"""Sign-in at the hospital's identity provider, for users who are known here."""
