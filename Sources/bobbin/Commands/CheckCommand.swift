import Batch
import Channels
import Posix
import Spool

struct CheckCommand {
  private let arguments: Arguments
  private let configuration: Configuration

  init(_ arguments: Arguments, _ configuration: Configuration) {
    self.arguments = arguments
    self.configuration = configuration
  }

  func run() throws -> ExitStatus {
    let problems = SetupCheck(configuration).problems()
    let plan = try plan(problems)
    if arguments.isJSON {
      try? Output.print(
        .object([
          ("status", .string(problems.isEmpty ? "ok" : "problems")),
          ("configuration", .string(configuration.file)), ("problems", .array(problems.map(\.json))),
          ("plan", .array(plan.map(\.json))),
        ]))
    } else {
      for problem in problems {
        try? StandardStream.error.write(
          "bobbin: \(problem.path.printable): \(problem.message.printable)\n        \(problem.remedy.printable)\n"
        )
      }
      if !arguments.isQuiet { try? printText(problems, plan) }
    }
    return switch problems.first?.kind {
    case nil: .done
    // A mount is where the set-up put it: a run that meets it says the same.
    case .program, .mount: .configuration
    case .permission: .permission
    case .missing: .cannotCreate
    }
  }

  private func described(_ directory: String) -> String {
    // What may not be looked at is among the problems.
    let isMissing = (try? Path.targetStatus(directory) == nil) ?? false
    return directory.printable + (isMissing ? " (missing; a run makes it)" : "")
  }

  /// The document for a configuration that can't be used.
  static func document(for failure: CommandFailure) -> JSONValue {
    let faults = (failure.message ?? "").split(separator: "\n").map { line in
      let isRefusal = failure.status == .permission
      return JSONValue.object([
        ("kind", .string(isRefusal ? "permission" : "configuration")), ("path", .null),
        ("message", .string(String(line))),
        ("remedy", isRefusal ? .string(ConfigurationFile.permissionRemedy) : .null),
      ])
    }
    return .object([
      ("status", .string("problems")), ("configuration", .null), ("problems", .array(faults)),
      ("plan", .array([])),
    ])
  }

  /// What a run would do. A spool that can't be read is among the problems; what is known without it is told.
  private func plan(_ problems: [SetupProblem]) throws -> [PlannedStep] {
    var plan: [PlannedStep] = []
    do throws(SystemError) {
      if try Path.targetStatus(configuration.spool) != nil {
        let batch = try Instance(configuration, log: Log(isQuiet: arguments.isQuiet))
        try batch.forEachPlanned(at: .now(), isSpoolOnly: false) { plan.append($0) }
        return plan
      }
    } catch {
      if problems.isEmpty { throw error }
    }
    return configuration.channels.filter(\.enabled).map { PlannedStep(scheduled: $0) }
  }

  private func printText(_ problems: [SetupProblem], _ plan: [PlannedStep]) throws {
    try Output.print("configuration: \(configuration.file.printable)")
    try Output.print("spool:         \(described(configuration.spool))")
    try Output.print("library:       \(described(configuration.library))")
    switch problems.count {
    case 0: try Output.print("no problems found")
    case 1: try Output.print("1 problem, see above")
    case let count: try Output.print("\(count) problems, see above")
    }
    try Output.print("\na run would, in this order:")
    if plan.isEmpty { try Output.print("  do nothing: no channel is enabled and nothing is pending") }
    var text: [UInt8] = []
    for step in plan {
      text += "  ".utf8
      step.appendText(to: &text)
    }
    try Output.write(text)
  }
}
