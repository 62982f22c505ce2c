"""Making the tracker's score mean the same in every video, and measuring what it then tells."""
