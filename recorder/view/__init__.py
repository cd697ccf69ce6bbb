"""`python -m recorder view`: sessions in the browser, to look at and to mark what is to be left out."""
