import FoundationEssentials

/// Everything that was measured in one run of the benchmark.
struct Results {
  let machine: Machine
  /// What `bobbin --version` says.
  let bobbin: String
  private(set) var findings: [Finding] = []
  var curve: DrainCost?
  /// The lowest peak of a program's memory that can be measured, in bytes (see `program_wait`).
  var leastPeak = 0.0

  init(machine: Machine, bobbin: String) {
    self.machine = machine
    self.bobbin = bobbin
  }

  mutating func add(_ findings: [Finding]) { self.findings += findings }

  /// The results for programs: every sample, and the figures computed from the samples.
  func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    let document = Document(
      bobbin: bobbin, machine: machine, findings: findings.map(Document.Figure.init),
      drainCost: curve, leastPeak: leastPeak)
    return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
  }

  private struct Document: Encodable {
    struct Figure: Encodable {
      let row: Int
      let title: String
      let unit: Unit
      let samples: [Double]
      let median: Double?
      let reference: String?
      let referenceSamples: [Double]?
      let referenceMedian: Double?
      let ratio: Double?
      let goal: Goal?
      let isMet: Bool?
      let notMeasured: String?

      init(_ finding: Finding) {
        row = finding.row
        title = finding.title
        unit = finding.unit
        samples = finding.samples
        median = finding.measured
        reference = finding.reference?.name
        referenceSamples = finding.reference?.samples
        referenceMedian = finding.reference?.samples.median
        ratio = finding.ratio
        goal = finding.goal
        isMet = finding.isMet
        notMeasured = finding.gap
      }
    }

    let bobbin: String
    let machine: Machine
    let findings: [Figure]
    let drainCost: DrainCost?
    let leastPeak: Double
  }
}
