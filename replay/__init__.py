"""Which courses change: recorded and generated courses graded again, and compared with before."""
