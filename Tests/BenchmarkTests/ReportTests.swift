import TestSupport
import Testing

@testable import benchmark

@Suite("The report of the benchmark", .alone)
struct ReportTests {
  @Test(
    "Numbers are rounded, and grouped in thousands",
    arguments: [
      (0.0, 0, "0"), (999.5, 0, "1,000"), (1_234_567.891, 2, "1,234,567.89"), (0.005, 2, "0.01"),
      (-0.001, 2, "0.00"),
      (-1.5, 1, "-1.5"), (.infinity, 1, "?"),
    ])
  func numbers(value: Double, decimals: Int, text: String) { #expect(fixed(value, decimals) == text) }

  @Test(
    "A value is written in the unit that is easiest to read",
    arguments: [
      (Unit.seconds, 12.345, "12.35 s"), (.seconds, 0.25, "250 ms"), (.seconds, 0.00143, "1.43 ms"),
      (.seconds, 40e-6, "40.0 µs"), (.seconds, 2.9e-6, "2.90 µs"), (.perSecond, 912.4, "912 /s"),
      (.bytes, 25e6, "25.0 MB"), (.calls, 2, "2.00"),
    ])
  func units(unit: Unit, value: Double, text: String) { #expect(unit.text(value) == text) }

  @Test("The table is aligned, shows a row's number once, and says why a figure is missing")
  func table() throws {
    var results = Results(machine: try Machine(directory: "/"), bobbin: "bobbin 1.0.0")
    results.add([
      Finding(
        .drain, "drain", .perSecond, Pairs(measured: [900], reference: [1_000]), against: "bare",
        goal: .ratio(.atLeast, 0.9)),
      Finding(.drain, "  of it", .seconds, [0.1]),
      Finding(.nq, "nq", gap: "nq is not installed"),
      Finding(.lockCheck, "lock", .seconds, [6e-6], goal: .value(.atMost, 5e-6)),
    ])
    let table = """
      row  what     measured  against                        ratio       goal
        1  drain      900 /s  bare                 1,000 /s   0.90     ≥ 0.90  met
             of it    100 ms
        2  nq              -  nq is not installed
       10  lock      6.00 µs                                        ≤ 5.00 µs  NOT MET

      """
    #expect(Report.table(results) == table)
  }

  @Test("The document for programs has every sample, and says why a figure was not measured")
  func json() throws {
    var results = Results(machine: try Machine(directory: "/"), bobbin: "bobbin 1.0.0")
    results.add([
      Finding(
        .drain, "drain", .perSecond, Pairs(measured: [900, 910], reference: [1_000, 1_000]), against: "bare"),
      Finding(.nq, "nq", gap: "nq is not installed"),
    ])
    let text = try results.json().filter { !$0.isWhitespace }
    for part in [
      "\"samples\":[900,910]", "\"reference_samples\":[1000,1000]", "\"not_measured\":\"nqisnotinstalled\"",
      "\"bobbin\":\"bobbin1.0.0\"",
    ] { #expect(text.contains(part)) }
  }
}
