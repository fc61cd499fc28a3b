import Spool

/// What a recovery leaves for the rest of the run.
struct Recovered {
  /// The claims that killed runs left; their folders are removed when the run has finished with them.
  var claims: [Claim] = []
  /// Triggers whose job is to be run again, in the order of their names.
  var retries: [ClaimedTrigger] = []
  /// The channel whose scheduled job was running when the previous run was killed.
  var interruptedChannel: String?
}
