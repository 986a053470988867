"""Which patients are on the wards, and where: board, admission, moves."""
