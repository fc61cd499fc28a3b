import Batch
import Channels
import Posix
import Text

struct CheckCommand: Command {
  static let name = "check"
  static let help = CommandHelp(
    summary: "validate the configuration and say what would run",
    discussion: """
      Reports every fault of the configuration with its line, directories that are missing or have the wrong
      owner or mode, programs that are not on PATH, and what other users could write to. Warns of what the spool's
      file system does not promise, and of files such as cats.JSON; warnings leave the exit status at 0. Then lists
      what a run would do, in order.
      """,
    example: "bobbin --config /etc/bobbin/bobbin.json5 check")

  private let isJSON: Bool
  private let isQuiet: Bool

  init(_ arguments: Arguments) {
    isJSON = arguments.isJSON
    isQuiet = arguments.isQuiet
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let configuration: Configuration
    do { configuration = try environment.configuration() } catch {
      // The faults are what `check` is asked for, so they are its answer as well as an error.
      if isJSON, let failure = error as? CommandFailure { Output.print(document(for: failure)) }
      throw error
    }
    let check = SetupCheck(configuration)
    let problems = check.problems()
    var warnings = check.warnings()
    let plan = try plan(configuration, environment, problems, &warnings)
    if isJSON {
      Output.print(
        .object([
          ("status", .string(problems.isEmpty ? "ok" : "problems")),
          ("configuration", .string(configuration.file)), ("problems", .array(problems.map(\.json))),
          ("warnings", .array(warnings.map(\.json))),
          ("plan", .array(plan.map(\.json))),
        ]))
    } else {
      printText(configuration, problems, warnings, plan)
    }
    return status(problems)
  }

  private func status(_ problems: [SetupProblem]) -> ExitStatus {
    switch problems.first?.kind {
    case nil, .warning: .done
    // A mount is where the set-up put it: a run that meets it says the same.
    case .program, .mount, .fileSystem: .configuration
    case .permission: .permission
    case .missing: .cannotCreate
    }
  }

  /// The document for a configuration that cannot be used.
  private func document(for failure: CommandFailure) -> JSONValue {
    let isRefusal = failure.status == .permission
    let faults = (failure.message ?? "").split(separator: "\n").map { line in
      JSONValue.object([
        ("kind", .string(isRefusal ? "permission" : "configuration")), ("path", .null),
        ("message", .string(String(line))),
        ("remedy", isRefusal ? .string(ConfigurationFile.permissionRemedy) : .null),
      ])
    }
    return .object([
      ("status", .string("problems")), ("configuration", .null), ("problems", .array(faults)),
      ("warnings", .array([])), ("plan", .array([])),
    ])
  }

  /// What a run would do. A spool that cannot be read is among the problems; what is known without it is listed. What
  /// is in the spool and no run will find is added to the warnings.
  private func plan(
    _ configuration: Configuration, _ environment: CommandEnvironment, _ problems: [SetupProblem],
    _ warnings: inout [SetupProblem]
  ) throws -> [PlannedStep] {
    var plan: [PlannedStep] = []
    do throws(SystemError) {
      if let instance = try environment.existingInstance(configuration) {
        warnings += try instance.almostTriggers().map(SetupProblem.init)
        try instance.forEachPlanned(asOf: .now(), isSpoolOnly: false) { plan.append($0) }
        return plan
      }
    } catch {
      if problems.isEmpty { throw error }
    }
    return PlannedStep.firstRun(of: configuration, asOf: .now())
  }

  private func printText(
    _ configuration: Configuration, _ problems: [SetupProblem], _ warnings: [SetupProblem],
    _ plan: [PlannedStep]
  ) {
    for (prefix, found) in [("", problems), ("warning: ", warnings)] {
      for problem in found {
        // If standard error is gone, the exit status still tells.
        try? StandardStream.error.write(
          "bobbin: \(prefix)\(problem.path.printable): \(problem.message.printable)\n"
            + "        \(problem.remedy.printable)\n")
      }
    }
    if isQuiet { return }
    Output.print("configuration: \(configuration.file.printable)")
    Output.print("spool:         \(described(configuration.spool, ifMissing: "missing; a run makes it"))")
    Output.print("library:       \(described(configuration.library, ifMissing: "missing"))")
    let counts = [count(problems.count, "problem"), count(warnings.count, "warning")].compactMap { $0 }
    Output.print(counts.isEmpty ? "no problems found" : "\(counts.joined(separator: " and ")), see above")
    Output.print("\na run would, in this order:")
    if plan.isEmpty { Output.print("  do nothing: no channel is enabled and nothing is pending") }
    var text: [UInt8] = []
    for step in plan {
      text += "  ".utf8
      step.appendText(to: &text)
    }
    Output.write(text)
  }

  private func count(_ count: Int, _ what: String) -> String? {
    count == 0 ? nil : count == 1 ? "1 \(what)" : "\(count) \(what)s"
  }

  private func described(_ directory: String, ifMissing: String) -> String {
    // A directory that may not be examined is among the problems.
    let isMissing = (try? PathQueries.targetStatus(directory) == nil) ?? false
    return directory.printable + (isMissing ? " (\(ifMissing))" : "")
  }
}
