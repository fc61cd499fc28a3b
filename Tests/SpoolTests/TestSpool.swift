import Posix
import Spool
import TestSupport

/// A spool of a test's own, in a temporary directory, with all its folders.
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

  /// The pending triggers, in their order.
  func pending() throws -> [String] {
    try root.names().filter { TriggerName.isTrigger($0.bytes) }.sorted().map(\.description)
  }

  /// Reads what is under a name and must be a whole trigger.
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
    guard let owner = ProcessIdentity(FileName(folder)) else { throw Failure("\(folder) is an owner's name") }
    return owner
  }

  /// A process of this host that began at another time, or now.
  static func process(_ id: Int32, startTime: UInt64) throws -> ProcessIdentity {
    let parts = ProcessIdentity.current().folder.description.split(separator: "-")
    return try named("\(parts[0])-\(parts[1])-\(id)-\(startTime)")
  }
}
