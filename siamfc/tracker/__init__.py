"""Following a target from frame to frame: the crop, the search, the peak, the box, and how sure it is."""
