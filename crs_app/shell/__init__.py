"""What a tablet keeps of the site for the time without a network: a page that names no patient."""
