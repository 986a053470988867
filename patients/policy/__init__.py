"""The decisions of the site where the paper is silent."""
