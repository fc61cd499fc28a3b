package import Posix

/// What became of a trigger that was to be cancelled.
package enum Cancellation: Sendable, Equatable {
  case cancelled
  /// No trigger of that name is pending: it never existed, or it is being run or is done.
  case notPending
  /// The file cannot be taken: it is immutable, or another user's directory.
  case immovable(SystemError)
}
