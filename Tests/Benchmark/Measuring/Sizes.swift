/// How many triggers, jobs and files the rows use.
struct Sizes: Equatable, Codable {
  /// Triggers in a short drain.
  var drain: Int
  /// Triggers in the drain of a backlog. Each of them must cost as much as a trigger in a short drain.
  var backlog: Int
  /// Jobs for the queues that Bobbin is compared with.
  var peers: Int
  /// Files in the large spool.
  var pending: Int
  /// Triggers that are submitted through the library.
  var submit: Int
  /// Sizes of the spools in the plot.
  var plot: [Int]

  static let full = Sizes(
    drain: 1_000, backlog: 100_000, peers: 300, pending: 1_000_000, submit: 1_000,
    plot: [100, 1_000, 10_000, 100_000, 1_000_000])
  static let quick = Sizes(
    drain: 100, backlog: 500, peers: 20, pending: 5_000, submit: 50, plot: [10, 100, 1_000, 5_000])

  /// Sets sizes by name.
  ///
  /// - Parameter text: for example `drain=500,pending=20000`.
  mutating func set(_ text: String) throws(Options.Fault) {
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: "=", omittingEmptySubsequences: false).map(String.init)
      guard words.count == 2 else {
        throw Options.Fault(description: "--sizes: \"\(part)\" is not NAME=NUMBER")
      }
      let number = try Options.number(words[1], of: "--sizes \(words[0])")
      switch words[0] {
      case "drain": drain = number
      case "backlog": backlog = number
      case "peers": peers = number
      case "pending": pending = number
      case "submit": submit = number
      default: throw Options.Fault(description: "--sizes: there is no size \"\(words[0])\"")
      }
    }
  }
}
