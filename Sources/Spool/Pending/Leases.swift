package import Posix

/// Tells by leases whether somebody has a file of the spool open for writing, where leases tell that: on some file
/// systems each is refused as if somebody had.
///
/// Found out once, when the first lease is refused, with a file that nobody else has open.
package final class Leases: Sendable {
  private let spool: SpoolDirectory
  /// Whether a refusal means that somebody is writing; nil until it matters.
  private let isRefusalMeant = Monitor<Bool?>(nil)

  package init(_ spool: SpoolDirectory) { self.spool = spool }

  /// As `FileDescriptor.isOpenForWriting`, with nil also where every lease is refused.
  package func isOpenForWriting(_ file: borrowing FileDescriptor) -> Bool? {
    let answer = file.isOpenForWriting()
    return answer == true && !believesRefusal() ? nil : answer
  }

  private func believesRefusal() -> Bool {
    isRefusalMeant.withLock { known in
      if let known { return known }
      // Where no file can be made, nothing is claimed either.
      let isRefused = try? spool.withScratchFile { name throws(SystemError) in
        try spool.root.open(name, .read).isOpenForWriting() == true
      }
      known = isRefused != true
      return isRefused != true
    }
  }
}
