"""Where documents come from beyond single files and pages: whole websites."""
