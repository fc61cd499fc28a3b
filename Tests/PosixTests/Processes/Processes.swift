import TestSupport
import Testing

/// The tests that start processes. They run one at a time, because they share one set of children, and reaping returns
/// any of them.
@Suite("Processes", .serialized, .alone)
struct Processes {}
