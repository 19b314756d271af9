"""What would an upgrade change? `make canary` answers, cell by cell, before anyone upgrades.

`watch` does it all: `environments` installs, `running` runs the notebooks, `comparing` names the
differences, `culprit` finds the package, and `reader` the sentences. `report` and `issues` tell
people.
"""
