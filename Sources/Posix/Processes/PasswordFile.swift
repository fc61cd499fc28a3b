/// What `/etc/passwd` and `/etc/group` say of users: see `passwd(5)` and `group(5)`.
package enum PasswordFile {
  /// The first user id that people get, `UID_MIN` of `login.defs(5)` in every common distribution.
  private static let firstPerson: UInt32 = 1_000

  /// Whether a user id was given to a service rather than to a person. Root is neither.
  package static func isSystemUser(_ user: UInt32) -> Bool { user > 0 && user < firstPerson }

  /// The name of a user id as `/etc/passwd` has it; nil where that says none.
  ///
  /// Not `getpwuid(3)`: in a program that is linked statically, the C library would load the machine's modules for
  /// that, which may belong to another version.
  package static func userName(_ user: UInt32) -> String? {
    passwd().first { $0.id == user }.map(\.name)
  }

  /// The home directory of a user id as `/etc/passwd` has it; nil where that says none.
  package static func home(of user: UInt32) -> String? {
    passwd().first { $0.id == user }?.fields.dropFirst(5).first.flatMap { $0.isEmpty ? nil : $0 }
  }

  /// Whether somebody besides root and one user belongs to a group, as the two files say. A group that is not in them is
  /// taken for shared, unless it is this process's own: in a container, ids often have no names.
  ///
  /// Users that only a directory service (LDAP) knows are not seen.
  package static func isShared(group: UInt32, besides user: UInt32) -> Bool {
    let users = passwd()
    guard let entry = entries("/etc/group").first(where: { $0.id == group }) else {
      return group != CurrentProcess.effectiveGroup
    }
    let trusted = Set(users.filter { $0.id == 0 || $0.id == user }.map(\.name))
    let members = entry.fields.dropFirst(3).first?.split(separator: ",").map(String.init) ?? []
    return members.contains { !trusted.contains($0) }
      || users.contains { $0.fields.dropFirst(3).first == String(group) && !trusted.contains($0.name) }
  }

  private struct Entry {
    let name: String
    let id: UInt32
    let fields: [String]
  }

  private static func passwd() -> [Entry] { entries("/etc/passwd") }

  /// The lines of one of the files: both have a name first and an id third. A file that cannot be read has none.
  private static func entries(_ path: String) -> [Entry] {
    guard let bytes = try? PathQueries.read(path, limit: 1 << 20) else { return [] }
    return bytes.split(separator: UInt8(ascii: "\n")).compactMap { line in
      let fields = line.split(separator: UInt8(ascii: ":"), omittingEmptySubsequences: false).map {
        String(decoding: $0, as: UTF8.self)
      }
      guard fields.count > 2, !fields[0].isEmpty, let id = UInt32(fields[2]) else { return nil }
      return Entry(name: fields[0], id: id, fields: fields)
    }
  }
}
