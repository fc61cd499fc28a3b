import Batch
import Text

struct PruneCommand: Command {
  static let name = "prune"
  static let help = CommandHelp(
    summary: "expire stale triggers, and remove old results",
    discussion: """
      Moves triggers that are older than expire_after to expired/, with a warning for each, and removes results
      and logs that are older than keep_results. A run does the same by itself.
      """,
    example: "bobbin prune")
  static let needs: Set<CommandNeed> = [.writesSpool]

  private let isJSON: Bool
  private let isQuiet: Bool

  init(_ arguments: Arguments) {
    isJSON = arguments.isJSON
    isQuiet = arguments.isQuiet
  }

  func run(in environment: CommandEnvironment) throws -> ExitStatus {
    let pruning = try environment.instance().prune()
    if isJSON {
      Output.print(
        .object([
          ("expired", .integer(pruning.expired)), ("left", .integer(pruning.left)),
          ("removed", .integer(pruning.removed)),
        ]))
    } else if !isQuiet {
      let left = pruning.left == 0 ? "" : ", \(pruning.left) stale left that cannot be moved"
      Output.print("\(pruning.expired) expired\(left), \(pruning.removed) old files removed")
    }
    return pruning.left == 0 ? .done : .failed
  }
}
