import Posix
import Spool
import TestSupport

/// A spool for one test, in a temporary directory, with all its folders.
struct TestSpool {
  let scratch: TemporaryDirectory
  let spool: SpoolDirectory
  let store: SpoolStore

  init() throws {
    scratch = try TemporaryDirectory()
    spool = try SpoolDirectory(path: scratch.path)
    store = try SpoolStore(spool)
  }

  var root: Directory { spool.root }

  /// The pending triggers, in byte order.
  func pending() throws -> [String] {
    try root.names().filter { TriggerName.isTrigger($0.bytes) }.sorted().map(\.description)
  }

  /// Reads a trigger that must be complete.
  func trigger(_ name: String) throws -> Trigger {
    let inspection = try Inspector(root, SettleRules(settle: .zero)).inspect(FileName(name), now: .now())
    guard case .settled(let trigger, _) = inspection else {
      throw Failure("\(name) is settled, not \(inspection)")
    }
    return trigger
  }
}

extension ProcessIdentity {
  /// The owner whose folder has this name.
  static func named(_ folder: String) throws -> ProcessIdentity {
    guard let owner = ProcessIdentity(FileName(folder)) else {
      throw Failure("\(folder) is not an owner's name")
    }
    return owner
  }

  /// A process of this host with the given start time.
  static func process(_ id: Int32, startTime: UInt64) throws -> ProcessIdentity {
    let parts = ProcessIdentity.current().folder.description.split(separator: "-")
    return try named("\(parts[0])-\(parts[1])-\(id)-\(startTime)")
  }
}
