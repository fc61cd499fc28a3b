/// A list of C strings, made once and used for many programs: an environment has dozens of entries.
package final class CStringArray: ExpressibleByArrayLiteral, @unchecked Sendable {
  // @unchecked: nothing is written after `init`; C only reads the strings, as `execve(2)` does, although the parameter
  // type lacks a `const`.
  private let bytes: UnsafeMutablePointer<CChar>
  private let starts: [UnsafeMutablePointer<CChar>]

  package init(_ strings: [String]) {
    bytes = .allocate(capacity: max(1, Self.size(of: strings)))
    var starts: [UnsafeMutablePointer<CChar>] = []
    var next = bytes
    for string in strings {
      starts.append(next)
      next = Self.copy(string, to: next)
    }
    self.starts = starts
  }

  package convenience init(arrayLiteral strings: String...) { self.init(strings) }

  deinit { bytes.deallocate() }

  /// Calls `body` with a null-terminated array of these strings followed by `more`.
  func withPointers<Result>(
    adding more: EnvironmentBlock, _ body: (UnsafePointer<UnsafeMutablePointer<CChar>?>) -> Result
  ) -> Result {
    withUnsafeTemporaryAllocation(
      of: UnsafeMutablePointer<CChar>?.self, capacity: starts.count + more.starts.count + 1
    ) { pointers in
      more.bytes.withUnsafeBufferPointer { block in
        var index = 0
        for start in starts {
          pointers[index] = start
          index += 1
        }
        for start in more.starts {
          pointers[index] = UnsafeMutableRawPointer(mutating: block.baseAddress! + start)
            .assumingMemoryBound(to: CChar.self)
          index += 1
        }
        pointers[index] = nil
        return body(UnsafePointer(pointers.baseAddress!))
      }
    }
  }

  private static func size(of strings: [String]) -> Int { strings.reduce(0) { $0 + $1.utf8.count + 1 } }

  /// - Returns: where the next string begins.
  private static func copy(
    _ string: String, to target: UnsafeMutablePointer<CChar>
  ) -> UnsafeMutablePointer<CChar> {
    var string = string
    return string.withUTF8 { bytes in
      let rest = UnsafeMutableRawBufferPointer(start: target, count: bytes.count + 1)
      rest.copyMemory(from: UnsafeRawBufferPointer(bytes))
      rest[bytes.count] = 0
      return target + rest.count
    }
  }
}
