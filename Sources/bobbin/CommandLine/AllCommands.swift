/// The commands, in the order in which the help lists them.
enum AllCommands {
  static let list: [any Command.Type] = [
    RunCommand.self, TriggerCommand.self, QueueCommand.self, CancelCommand.self, PruneCommand.self,
    StatusCommand.self, HistoryCommand.self, LogCommand.self, WatchCommand.self, CheckCommand.self,
  ]
}
