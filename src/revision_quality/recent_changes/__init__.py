"""The filters of Recent Changes: from a query string to the rows that hold."""
