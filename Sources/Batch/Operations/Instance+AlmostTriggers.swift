import Channels
package import Posix
import Spool
import Text

extension Instance {
  /// What was most likely meant as a trigger and is not one: a file whose name is nearly right, or a folder that holds
  /// triggers. In the order of names; changes nothing.
  package func almostTriggers() throws(SystemError) -> [AlmostTrigger] {
    guard spool.isListable else { return [] }
    var names: [FileName] = []
    try spool.root.forEachName { bytes in
      if !TriggerName.isTrigger(bytes), bytes.first != UInt8(ascii: ".") {
        names.append(FileName(bytes: Array(bytes)))
      }
    }
    var found: [AlmostTrigger] = []
    for name in names.sorted() where !isOwn(name) {
      if let almost = try almostTrigger(name) { found.append(almost) }
    }
    return found
  }

  private func isOwn(_ name: FileName) -> Bool {
    SpoolFolder.allCases.contains { $0.name == name } || SpoolDirectory.isOwnFile(name.description)
      || spool.root.path(of: name) == configuration.lock
  }

  private func almostTrigger(_ name: FileName) throws(SystemError) -> AlmostTrigger? {
    // RACE: it may have been renamed since the scan, perhaps to a trigger's name.
    guard let status = try spool.root.status(of: name) else { return nil }
    if status.kind == .directory { return folder(name) }
    if let intended = TriggerName.intended(by: name) ?? nameOfChannel(name) {
      return AlmostTrigger(
        path: spool.root.path(of: name), reason: "its name does not end in .json",
        remedy: move(spool.root.path(of: name), to: spool.root.path(of: intended)))
    }
    return nil
  }

  /// `touch spool/cats`, for a channel of that name or id.
  private func nameOfChannel(_ name: FileName) -> FileName? {
    let intended = FileName(bytes: name.bytes + Array(".json".utf8))
    return switch TriggerName.channel(in: intended) {
    case .id(let id) where configuration.channel(id: id) != nil: intended
    case .name(let text) where configuration.channel(name: text) != nil: intended
    default: nil
    }
  }

  /// A folder of somebody's, in which nobody searches for triggers. One that cannot be read says nothing.
  private func folder(_ name: FileName) -> AlmostTrigger? {
    guard let folder = try? spool.root.directory(name), let names = try? folder.names() else { return nil }
    let triggers = names.filter { TriggerName.isTrigger($0.bytes) }
    guard let first = triggers.min() else { return nil }
    let count = triggers.count == 1 ? "a trigger" : "\(triggers.count) triggers"
    return AlmostTrigger(
      path: folder.path, reason: "a folder with \(count) in it; only what is in the spool itself is found",
      remedy: move(folder.path(of: first), to: "\(spool.root.path)/"))
  }

  private func move(_ old: String, to new: String) -> String {
    "mv -n \(old.shellQuoted) \(new.shellQuoted)"
  }
}
