#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A compiled POSIX extended regular expression.
///
/// POSIX rather than Swift's `Regex`, because the person who writes the pattern knows it from grep -E, and
/// because it costs neither a parser in the binary nor start-up time.
package final class Pattern: Sendable {
  // `regexec` takes the compiled expression as const, and POSIX lists it among the thread-safe functions; the
  // expression changes only before `init` returns and in `deinit`, when nobody else can hold a reference.
  private nonisolated(unsafe) let compiled: UnsafeMutablePointer<regex_t>

  /// Compiles `source`. The corresponding C function is `regcomp(3)`.
  ///
  /// - Throws: `PatternError` with the library's own description of the fault.
  package init(_ source: String) throws(PatternError) {
    // A C string ends at its first NUL: the rest of the pattern would be dropped silently.
    guard !source.utf8.contains(0) else {
      throw PatternError(reason: "NUL character in pattern")
    }
    let storage = UnsafeMutablePointer<regex_t>.allocate(capacity: 1)
    let code = regcomp(storage, source, REG_EXTENDED | REG_NOSUB)
    guard code == 0 else {
      let reason = Pattern.message(code, storage)
      storage.deallocate()
      throw PatternError(reason: reason)
    }
    self.compiled = storage
  }

  deinit {
    regfree(compiled)
    compiled.deallocate()
  }

  /// Whether the expression matches anywhere in `line`, which does not include its newline.
  ///
  /// A NUL counts as a space, so that it cannot hide the rest of the line. If the library runs out of
  /// memory, the answer is `false`. The corresponding C function is `regexec(3)`.
  package func matches(_ line: some Collection<UInt8>) -> Bool {
    var text: [CChar] = []
    text.reserveCapacity(line.count + 1)
    for byte in line {
      text.append(CChar(bitPattern: byte == 0 ? UInt8(ascii: " ") : byte))
    }
    text.append(0)
    return regexec(compiled, text, 0, nil, 0) == 0
  }

  private static func message(_ code: Int32, _ pattern: UnsafeMutablePointer<regex_t>) -> String {
    let size = Int(regerror(code, pattern, nil, 0))
    let bytes = [UInt8](unsafeUninitializedCapacity: size) { buffer, count in
      buffer.withMemoryRebound(to: CChar.self) { _ = regerror(code, pattern, $0.baseAddress, size) }
      count = max(0, size - 1)
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
