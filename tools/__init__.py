"""What authors and ``make`` run. No notebook imports from here."""
