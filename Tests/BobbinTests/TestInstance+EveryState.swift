import Foundation
import TestSupport
import Testing

extension TestInstance {
  static let channelsOfEveryState = """
    { id: 1, name: "demo", command: ["handlers/note"] },
    { id: 2, name: "off", command: ["handlers/note"], enabled: false },
    """

  /// An instance with one trigger in each state in which a trigger can be pending.
  static func everyState() throws -> TestInstance {
    let instance = try TestInstance(channels: Self.channelsOfEveryState)
    try instance.drop(
      "a-ready.json", #"{"channel": "demo", "user": "anna", "timestamp": "\#(Self.timestamp(ago: 60))"}"#)
    try instance.drop("b-stale.json", age: .seconds(7_200))
    try instance.drop("c-invalid.json", #"{"channel": true}"#)
    try instance.drop("d-unknown.json", "99")
    try instance.drop("e-disabled.json", #""off""#)
    // The file has two names, as `ln` and `rm` give a file for an instant.
    _ = try #require(fopen("\(instance.spool)/f-settling.json", "we"))
    return instance
  }

  static func timestamp(ago seconds: Double) -> String {
    Date.now.addingTimeInterval(-seconds).formatted(.iso8601)
  }
}
