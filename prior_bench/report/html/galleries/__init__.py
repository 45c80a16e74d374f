"""Example images of the HTML report."""
