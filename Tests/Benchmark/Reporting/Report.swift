/// The report for people: a heading that names the machine, and the table.
enum Report {
  static func heading(_ results: Results) -> String {
    let machine = results.machine
    var text = """
      \(results.bobbin) on \(machine.caption)
      spools in \(machine.directory); load \(machine.load) at the beginning

      """
    if machine.isDebugBuild {
      text += "A debug build: the figures mean nothing. Use swift run -c release benchmark.\n"
    }
    if ["tmpfs", "ramfs", "overlay"].contains(machine.fileSystem) {
      text += "On \(machine.fileSystem) a sync may cost nothing: name a disk with --directory.\n"
    }
    return text + "\n"
  }

  static func table(_ results: Results) -> String {
    var lines = [["row", "what", "measured", "against", "", "ratio", "goal", ""]]
    var row = 0
    for finding in results.findings {
      lines.append([finding.row == row ? "" : "\(finding.row)"] + cells(finding))
      row = finding.row
    }
    var text = results.findings.isEmpty ? "" : aligned(lines, right: [0, 2, 4, 5, 6])
    if results.findings.contains(where: { $0.unit == .bytes }) {
      text +=
        "\nPeak memory cannot be measured below the benchmark's own peak: \(Unit.bytes.text(results.leastPeak)).\n"
    }
    if let curve = results.curve {
      text += "\nCost of a trigger by files in the spool (posix_spawn + waitpid alone: "
      text += "\(Unit.seconds.text(curve.bareSpawn))):\n"
      text += aligned(
        curve.points.map { ["", fixed(Double($0.files), 0), Unit.seconds.text($0.cost)] }, right: [1, 2])
    }
    return text
  }

  private static func cells(_ finding: Finding) -> [String] {
    if let gap = finding.gap { return [finding.title, "-", gap, "", "", "", ""] }
    let unit = finding.unit
    return [
      finding.title, finding.measured.map(unit.text) ?? "-", finding.reference?.name ?? "",
      finding.reference?.samples.median.map(unit.text) ?? "", finding.ratio.map { fixed($0, 2) } ?? "",
      finding.goal.map { text($0, unit) } ?? "", finding.isMet.map { $0 ? "met" : "NOT MET" } ?? "",
    ]
  }

  /// For example `≥ 0.90` for a ratio, or `≤ 40.0 µs` for a value with its unit.
  static func text(_ goal: Goal, _ unit: Unit) -> String {
    let sign = goal.bound == .atLeast ? "≥" : "≤"
    return "\(sign) \(goal.subject == .ratio ? fixed(goal.limit, 2) : unit.text(goal.limit))"
  }

  /// Lines whose columns are as wide as their widest cell, with two spaces between them.
  ///
  /// - Parameter right: the columns that are aligned to the right.
  static func aligned(_ lines: [[String]], right: Set<Int>) -> String {
    guard let columns = lines.map(\.count).max() else { return "" }
    let widths = (0..<columns).map { column in
      lines.map { column < $0.count ? $0[column].count : 0 }.max() ?? 0
    }
    var text = ""
    for line in lines {
      let cells = line.enumerated().map { column, cell in
        let space = String(repeating: " ", count: widths[column] - cell.count)
        return right.contains(column) ? space + cell : cell + space
      }
      var row = cells.joined(separator: "  ")
      while row.last == " " { row.removeLast() }
      text += row + "\n"
    }
    return text
  }
}
