/// What a command says about itself.
struct CommandHelp {
  /// One line, in lower case, without a full stop.
  let summary: String
  let discussion: String
  let example: String
}
