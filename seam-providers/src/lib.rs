//! Access systems for the seam SDK, one folder and one feature each.
