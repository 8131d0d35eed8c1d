"""Ground floor: errors, units, time values, redaction, retry arithmetic. Imports nothing of Ouzel."""
