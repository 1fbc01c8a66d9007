"""The lists whole, as tables of plain values: what pages and the API give as CSV."""
