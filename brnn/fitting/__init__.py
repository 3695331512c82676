"""Parameters from recordings: least squares with exact derivatives, and what the data determine."""
