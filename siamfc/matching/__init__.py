"""Every place in a picture that looks like an exemplar: searched at every size, scored, and drawn."""
