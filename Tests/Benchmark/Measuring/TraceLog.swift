/// The output of `strace -f -o`.
enum TraceLog {
  /// Calls that wait for time to pass. One of them ends a poll.
  private static let sleeping: Set<Substring> = [
    "ppoll", "poll", "pselect6", "select", "nanosleep", "clock_nanosleep", "epoll_wait", "epoll_pwait",
    "restart_syscall",
  ]

  /// How many calls there are from one sleep to the next, the sleep included: the mean over all whole polls.
  ///
  /// - Returns: nil when there is not one whole poll.
  static func callsPerPoll(_ log: String) -> Double? {
    var (calls, polls) = (0, 0)
    // Nil before the first sleep: what came before it is part of a poll only.
    var since: Int?
    for line in log.split(separator: "\n") {
      // 47110 ppoll([…], 1, {…}, NULL, 8) = 0 (Timeout); also: 47110 +++ exited, 47110 <... ppoll resumed>. A shorter id
      // has more spaces after it.
      let call = line.drop { $0.isNumber }.drop { $0 == " " }
      guard let bracket = call.firstIndex(of: "(") else { continue }
      let name = call[..<bracket]
      guard !name.isEmpty, name.allSatisfy({ $0.isLetter || $0.isNumber || $0 == "_" }) else { continue }
      if let count = since { since = count + 1 }
      guard sleeping.contains(name) else { continue }
      if let count = since {
        calls += count
        polls += 1
      }
      since = 0
    }
    return polls == 0 ? nil : Double(calls) / Double(polls)
  }
}
