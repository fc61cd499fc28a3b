import TestSupport
import Testing

/// The tests that start processes. One at a time: a process has one set of children, and whoever reaps sees them all.
@Suite("Processes", .serialized, .alone)
struct Processes {}
