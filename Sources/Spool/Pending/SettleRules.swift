import Posix

/// How long a file must not have changed before it is taken, or condemned. Asked in addition to whether a process has
/// it open for writing, which the kernel does not always tell.
///
/// | what the file holds | nobody has it open | the kernel does not tell |
/// | --- | --- | --- |
/// | an object that parses | `rest` | `settle` |
/// | an id or a name | `rest` | `settle`; 5 × `settle` for another user's file |
/// | nothing | `settle` | `settle`; 5 × `settle` for another user's file |
/// | a text that does not parse, a channel that is not configured | `settle` | `settle` |
/// | nothing, under a name that is not a channel's | 7.5 × `settle` | 7.5 × `settle` |
///
/// With the default of 2 s that is 10 s and 15 s. With `settle: "0"` nothing but `rest` counts: for spools whose writers
/// all rename their files into place.
package struct SettleRules: Sendable {
  private let settle: Duration
  private let rest: Duration
  /// Writers that create a file and fill it later fill it sooner than this, mostly.
  private var foreignPause: Duration { settle * 5 }
  /// WebDAV clients leave a file empty for ten seconds before they fill it.
  private var placeholderPause: Duration { settle * 15 / 2 }

  /// - Parameters:
  ///   - settle: the key of the configuration.
  ///   - rest: the least that every file must have rested, for clients that look for what they have sent.
  package init(settle: Duration, rest: Duration = .zero) {
    self.settle = settle
    self.rest = rest
  }

  /// The rest that a complete file needs.
  ///
  /// - Parameters:
  ///   - isOpen: what the kernel says of it; never true here.
  ///   - isForeign: whether it belongs to another user than the batch's.
  func restBeforeTaking(_ content: TriggerContent, isOpen: Bool?, isForeign: Bool) -> Duration {
    let pause: Duration
    switch (content, isOpen) {
    case (.object, nil), (.invalid, _): pause = settle
    case (.object, _), (.scalar, .some): pause = .zero
    case (.empty, .some): pause = settle
    case (.empty, nil), (.scalar, nil): pause = isForeign ? foreignPause : settle
    }
    return max(pause, rest)
  }

  /// The rest that a file needs before it is rejected or failed.
  package func restBeforeCondemning(_ content: TriggerContent) -> Duration {
    let pause = content == .empty ? placeholderPause : settle
    return max(pause, rest)
  }

  /// The rest that an inspection without opening the file demands of an empty file.
  func restBeforePeeking(isForeign: Bool) -> Duration {
    restBeforeTaking(.empty, isOpen: nil, isForeign: isForeign)
  }

  /// For how long a file has not changed. Judged by the change time: a modification time can be set. A change in the
  /// future (the clock was set back) says nothing and must not keep the file for ever.
  func rested(_ status: FileStatus, at now: Timestamp) -> Duration {
    let age = now - status.changed
    return age < .zero - settle ? .seconds(Int64.max) : max(age, .zero)
  }
}
