/// The output of `strace -f -o`.
enum TraceLog {
  /// Calls that wait for time to pass. Each of them ends a poll.
  private static let sleeping: Set<Substring> = [
    "ppoll", "poll", "pselect6", "select", "nanosleep", "clock_nanosleep", "epoll_wait", "epoll_pwait",
    "restart_syscall",
  ]

  /// The number of calls from one sleep to the next, including the sleep: the mean over all whole polls.
  ///
  /// - Returns: nil when the log does not contain a whole poll.
  static func callsPerPoll(_ log: String) -> Double? {
    var (calls, polls) = (0, 0)
    // Nil before the first sleep, because the calls before it are only part of a poll.
    var since: Int?
    for line in log.split(separator: "\n") {
      // 47110 ppoll([…], 1, {…}, NULL, 8) = 0 (Timeout); also: 47110 +++ exited, 47110 <... ppoll resumed>.
      // A shorter id is followed by more spaces.
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
