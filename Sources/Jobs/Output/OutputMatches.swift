/// What the lines of one attempt's output have matched so far; see `OutputRules`.
struct OutputMatches: Equatable {
  /// How many error lines are tolerated.
  var tolerated = 0
  /// How many error lines are not.
  var errors = 0
  /// Whether a line means that the job has failed.
  var isFailure = false
  /// Whether a line means that a failure may pass.
  var isTransient = false
}
